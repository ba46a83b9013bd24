"""Switching the recording of gradients off."""

from ._core import _set_grad_enabled, is_grad_enabled


class no_grad:  # noqa: N801  (the name users know)
    """Nothing is recorded inside, on this thread. A context manager and a decorator.

    >>> import spiraltorch as st
    >>> x = st.Tensor(1, 1, [2.0], requires_grad=True)
    >>> with st.no_grad():
    ...     (x * x).requires_grad
    False
    """

    def __enter__(self):
        self._before = is_grad_enabled()
        _set_grad_enabled(False)
        return self

    def __exit__(self, *exc_info):
        _set_grad_enabled(self._before)
        return False

    def __call__(self, function):
        from functools import wraps

        @wraps(function)
        def wrapped(*args, **kwargs):
            with no_grad():
                return function(*args, **kwargs)

        return wrapped
