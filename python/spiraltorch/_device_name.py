"""A session's device as text that also tells what was asked for."""


class DeviceName(str):
    """Equal to the device that computes, with that and the requested one as attributes."""

    __slots__ = ("effective", "requested")

    def __new__(cls, effective, requested):
        name = super().__new__(cls, effective)
        name.effective = effective
        name.requested = requested
        return name

    def __reduce__(self):
        return type(self), (self.effective, self.requested)
