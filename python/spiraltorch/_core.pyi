"""SpiralTorch's native core. Import spiraltorch instead."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, overload

import numpy
from numpy.typing import NDArray

from spiraltorch import (
    DTypeError as DTypeError,
    DeviceError as DeviceError,
    Error as Error,
    FormatError as FormatError,
    InvalidArgument as InvalidArgument,
    IoError as IoError,
    OutOfMemory as OutOfMemory,
    OutOfRange as OutOfRange,
    PlanDeviceMismatch as PlanDeviceMismatch,
    Unsupported as Unsupported
)


def backends() -> list[str]:
    """Names of the back ends this build contains."""

def manual_seed(seed: int) -> None:
    """Resets the process-wide random numbers to `seed`, 0 <= seed < 2**64."""

def rng_state() -> tuple:
    """(seed, next block) of the process-wide random numbers."""

def set_rng_state(state: object) -> None:
    """Brings the random numbers where rng_state() was."""

def set_strict(strict: bool) -> None:
    """
    Whether an absent device is an error instead of the CPU with a warning.
    """

def is_strict() -> bool:
    """Whether an absent device is an error."""

def num_threads() -> int:
    """Host threads that computations use."""

def set_num_threads(count: int) -> None:
    """Sets the number of host threads, 1 to 1024."""

def is_grad_enabled() -> bool:
    """Whether operations on tracked tensors are recorded."""

def describe_device(device: str | None = None) -> dict:
    """
    What a device says of itself and of its run-time libraries, as a dict; where it is absent,
    the numbers to plan with and the reason in "error". None means "auto". Never warns.

    >>> describe_device("cpu")["available"]
    True
    """

def devices() -> list:
    """Descriptions of the devices that are available here."""

def hip_probe() -> dict:
    """
    Whether HIP is here: the devices its runtime reports, else what the environment hints at.
    Hints never make HIP executable.
    """

class Tensor:
    """
    A two-dimensional, row-major float32 matrix; each row is a point.

    >>> Tensor(1, 2, [0.5, 0.25]) + 1
    Tensor([[1.5, 1.25]])
    """

    def __init__(self, rows: int, cols: int, data: object | None = None, *, requires_grad: bool = False, device: str | None = None) -> None:
        """
        Zeros, or rows·cols numbers in row-major order from a sequence or buffer (copied).
        """

    @staticmethod
    def zeros(rows: int, cols: int, *, requires_grad: bool = False, device: str | None = None) -> Tensor:
        """Zeros."""

    @staticmethod
    def ones(rows: int, cols: int, *, requires_grad: bool = False, device: str | None = None) -> Tensor:
        """Ones."""

    @staticmethod
    def full(rows: int, cols: int, value: float, *, requires_grad: bool = False, device: str | None = None) -> Tensor:
        """One value everywhere."""

    @staticmethod
    def eye(n: int, cols: int | None = None, *, requires_grad: bool = False, device: str | None = None) -> Tensor:
        """Ones on the diagonal of an (n, cols) tensor; cols defaults to n."""

    @staticmethod
    def rand(rows: int, cols: int, seed: int | None = None, *, requires_grad: bool = False, device: str | None = None) -> Tensor:
        """Uniform on [0, 1); without a seed from the process-wide generator."""

    @staticmethod
    def randn(rows: int, cols: int, seed: int | None = None, *, requires_grad: bool = False, device: str | None = None) -> Tensor:
        """Standard normal; without a seed from the process-wide generator."""

    @staticmethod
    def from_rows(rows: object, *, requires_grad: bool = False, device: str | None = None) -> Tensor:
        """A sequence of equally long sequences of numbers."""

    @staticmethod
    def from_array(obj: object, copy: object | None = None, *, requires_grad: bool = False, device: str | None = None) -> Tensor:
        """
        An array by DLPack, array interface or buffer protocol, or a sequence. Aligned, C-contiguous, writable float32 is shared; copy=True always copies, copy=False never.
        """

    @staticmethod
    def from_dlpack(obj: object) -> Tensor:
        """The same from an object with __dlpack__."""

    @staticmethod
    def cat_rows(tensors: object) -> Tensor:
        """Tensors below each other."""

    @staticmethod
    def cat_cols(tensors: object) -> Tensor:
        """Tensors beside each other."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    @property
    def cols(self) -> int:
        """Number of columns."""

    @property
    def device(self) -> str:
        """Where the tensor lives."""

    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""

    def data(self) -> list[float]:
        """Flat row-major list."""

    def tolist(self) -> list[list[float]]:
        """List of rows."""

    def item(self) -> float:
        """The element of a (1, 1) tensor."""

    def __float__(self) -> float: ...

    def __bool__(self) -> bool: ...

    def __len__(self) -> int: ...

    def __repr__(self) -> str: ...

    def sum_axis0(self) -> list[float]:
        """Column sums as a list."""

    def squared_l2_norm(self) -> float:
        """Sum of squares as a number."""

    def allclose(self, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
        """Whether all |a - b| <= atol + rtol·|b|."""

    def project_to_poincare(self, curvature: float) -> Tensor:
        """Row-wise exponential map at the origin of the ball."""

    def hyperbolic_distance(self, other: Tensor, curvature: float) -> float:
        """Distance in the product of balls, one a row."""

    def clone(self) -> Tensor:
        """A copy with its own storage."""

    def detach(self) -> Tensor:
        """The same storage, not tracked."""

    def to(self, device: str) -> Tensor:
        """The tensor itself if it is there already, else a copy on the device."""

    def transpose(self) -> Tensor:
        """The transposed tensor."""

    @property
    def T(self) -> Tensor:
        """The transposed tensor."""

    def reshape(self, rows: int, cols: int) -> Tensor:
        """Same elements in another shape; -1 for one side infers it."""

    def add(self, other: object) -> Tensor:
        """Elementwise sum with a tensor or a number."""

    def sub(self, other: object) -> Tensor:
        """Elementwise difference."""

    def hadamard(self, other: object) -> Tensor:
        """Elementwise product."""

    def scale(self, value: float) -> Tensor:
        """Every element times a number."""

    def matmul(self, other: Tensor) -> Tensor:
        """Matrix product."""

    def exp(self) -> Tensor:
        """Elementwise exponential."""

    def log(self) -> Tensor:
        """Elementwise natural logarithm."""

    def tanh(self) -> Tensor:
        """Elementwise hyperbolic tangent."""

    def sigmoid(self) -> Tensor:
        """Elementwise logistic function."""

    def relu(self) -> Tensor:
        """Elementwise max(x, 0)."""

    def sqrt(self) -> Tensor:
        """Elementwise square root."""

    def abs(self) -> Tensor:
        """Elementwise absolute value."""

    def clamp(self, min: float | None = None, max: float | None = None) -> Tensor:
        """Elements cut to [min, max]."""

    def softmax(self) -> Tensor:
        """Softmax over each row."""

    def log_softmax(self) -> Tensor:
        """Logarithm of the softmax of each row."""

    def sum(self, axis: object | None = None) -> Tensor:
        """Sum over all, over rows (axis 0) or columns (axis 1)."""

    def mean(self, axis: object | None = None) -> Tensor:
        """Mean over all, over rows (axis 0) or columns (axis 1)."""

    def max(self, axis: object | None = None) -> Tensor:
        """Largest element, NaN if there is one."""

    def min(self, axis: object | None = None) -> Tensor:
        """Smallest element, NaN if there is one."""

    def norm(self, axis: object | None = None) -> Tensor:
        """Euclidean norm over all, over rows or columns."""

    def __add__(self, arg: object, /) -> object: ...

    def __radd__(self, arg: object, /) -> object: ...

    def __sub__(self, arg: object, /) -> object: ...

    def __rsub__(self, arg: object, /) -> object: ...

    def __mul__(self, arg: object, /) -> object: ...

    def __rmul__(self, arg: object, /) -> object: ...

    def __truediv__(self, arg: object, /) -> object: ...

    def __rtruediv__(self, arg: object, /) -> object: ...

    def __neg__(self) -> Tensor: ...

    def __matmul__(self, arg: Tensor, /) -> Tensor: ...

    def __pow__(self, exponent: float) -> Tensor: ...

    def add_scaled_inplace(self, other: Tensor, scale: float) -> None:
        """self += scale·other."""

    def add_row_inplace(self, bias: object) -> None:
        """Every row += bias, a (1, cols) tensor or a sequence."""

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""

    @requires_grad.setter
    def requires_grad(self, arg: bool, /) -> None: ...

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""

    @property
    def grad(self) -> Tensor | None:
        """Gradient accumulated by backward, or None."""

    @grad.setter
    def grad(self, grad: Tensor | None) -> None: ...

    def zero_grad(self) -> None:
        """Sets grad to None."""

    def backward(self, gradient: Tensor | None = None, retain_graph: bool = False) -> None:
        """
        Adds the gradient of this tensor into grad of every tracked leaf it came from.
        """

    def __getitem__(self, key: object) -> object: ...

    def __setitem__(self, key: object, value: object) -> None: ...

    def index_select(self, rows: object) -> Tensor:
        """
        The rows that an IndexTensor, (1, m) or (m, 1), or a sequence of integers names.
        """

    def index_add(self, rows: object, source: Tensor) -> Tensor:
        """
        A copy with row i of source added to row rows[i], for every i ascending.
        """

    def __dlpack__(self, **kwargs) -> object: ...

    def __dlpack_device__(self) -> tuple[int, int]: ...

    @property
    def __array_interface__(self) -> dict: ...

    def __getstate__(self) -> tuple[int, int, bytes, bool]: ...

    def __setstate__(self, arg: tuple[int, int, bytes, bool], /) -> None: ...

    def __copy__(self) -> Tensor: ...

    def __deepcopy__(self, memo: object) -> Tensor: ...

class ComplexTensor:
    """A two-dimensional, row-major complex64 matrix; not differentiable."""

    def __init__(self, rows: int, cols: int, data: object | None = None, *, device: str | None = None) -> None:
        """Zeros, or rows·cols complex numbers or (re, im) pairs."""

    @staticmethod
    def from_tensor(tensor: Tensor) -> ComplexTensor:
        """From re, im interleaved: (r, 2c) to (r, c)."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    @property
    def cols(self) -> int:
        """Number of columns."""

    @property
    def device(self) -> str:
        """Where the tensor lives."""

    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""

    def data(self) -> list[complex]:
        """Flat row-major list of complex numbers."""

    def tolist(self) -> list[list[complex]]:
        """List of rows."""

    def clone(self) -> ComplexTensor:
        """A copy with its own storage."""

    def to(self, device: str) -> ComplexTensor:
        """The tensor itself if it is there already, else a copy on the device."""

    def conj(self) -> ComplexTensor:
        """Complex conjugates."""

    def real(self) -> Tensor:
        """Real parts."""

    def imag(self) -> Tensor:
        """Imaginary parts."""

    def abs(self) -> Tensor:
        """Moduli."""

    def angle(self) -> Tensor:
        """Arguments."""

    def to_tensor(self) -> Tensor:
        """(r, 2c) with re, im interleaved."""

    def __len__(self) -> int: ...

    def __repr__(self) -> str: ...

    def __getitem__(self, key: object) -> object: ...

    def __setitem__(self, key: object, value: object) -> None: ...

    def __add__(self, arg: object, /) -> object: ...

    def __radd__(self, arg: object, /) -> object: ...

    def __sub__(self, arg: object, /) -> object: ...

    def __rsub__(self, arg: object, /) -> object: ...

    def __mul__(self, arg: object, /) -> object: ...

    def __rmul__(self, arg: object, /) -> object: ...

    def __matmul__(self, arg: object, /) -> object: ...

    def matmul(self, other: object) -> ComplexTensor:
        """Matrix product, without conjugation."""

    @staticmethod
    def from_array(obj: object, copy: object | None = None) -> ComplexTensor:
        """
        A complex array, shared where it is aligned, C-contiguous, writable complex64, or a sequence.
        """

    def __getstate__(self) -> tuple[int, int, bytes]: ...

    def __setstate__(self, arg: tuple[int, int, bytes], /) -> None: ...

    def __copy__(self) -> ComplexTensor: ...

    def __deepcopy__(self, memo: object) -> ComplexTensor: ...

    def __dlpack__(self, **kwargs) -> object: ...

    def __dlpack_device__(self) -> tuple[int, int]: ...

    @property
    def __array_interface__(self) -> dict: ...

class PoincareBall:
    """
    The Poincaré ball of a negative curvature; operations work row by row.

    >>> PoincareBall(-1.0).radius()
    1.0
    """

    def __init__(self, curvature: float = -1.0) -> None: ...

    def curvature(self) -> float:
        """The curvature."""

    def radius(self) -> float:
        """1/√κ."""

    def __repr__(self) -> str: ...

    def __eq__(self, arg: PoincareBall, /) -> bool: ...

    def __hash__(self) -> int: ...

    def __reduce__(self) -> tuple: ...

    def project(self, x: Tensor) -> Tensor:
        """x, or its radial projection into the ball's margin."""

    def expmap0(self, v: Tensor) -> Tensor:
        """Exponential map at the origin: tanh(√κ‖v‖)/(√κ‖v‖)·v."""

    def logmap0(self, y: Tensor) -> Tensor:
        """Its inverse."""

    def mobius_add(self, x: Tensor, y: Tensor) -> Tensor:
        """x ⊕ y."""

    def mobius_scalar(self, t: object, x: Tensor) -> Tensor:
        """t ⊗ x; t a number or an (r, 1) tensor."""

    def mobius_matvec(self, m: Tensor, x: Tensor) -> Tensor:
        """exp_0(log_0(x)·m), m of shape (c, q)."""

    def expmap(self, x: Tensor, v: Tensor) -> Tensor:
        """Exponential map at x."""

    def logmap(self, x: Tensor, y: Tensor) -> Tensor:
        """The tangent vector at x whose exponential is y."""

    def gyration(self, a: Tensor, b: Tensor, v: Tensor) -> Tensor:
        """The rotation gyr[a, b]v."""

    def parallel_transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        """v carried along the geodesic from x to y."""

    def geodesic(self, x: Tensor, y: Tensor, t: object) -> Tensor:
        """The point at t of the geodesic from x (0) to y (1)."""

    def dist(self, x: Tensor, y: Tensor, squared: bool = False) -> Tensor:
        """(r, 1) geodesic distances."""

    def dist_matrix(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """(r, s) distances of all pairs of rows; without y of x to itself."""

    def conformal_factor(self, x: Tensor) -> Tensor:
        """(r, 1): 2/(1 - κ‖x‖²)."""

    def egrad2rgrad(self, x: Tensor, g: Tensor) -> Tensor:
        """Riemannian gradient of a Euclidean differential."""

    def gyromidpoint(self, x: Tensor, weights: object | None = None) -> Tensor:
        """(1, c) normalised Lorentz centroid."""

    def frechet_mean(self, x: Tensor, weights: object | None = None, tol: float = 1e-09, max_iter: int = 1000) -> Tensor:
        """(1, c) minimiser of the weighted squared distances."""

    def to_lorentz(self, x: Tensor) -> Tensor:
        """(r, c + 1) points of the hyperboloid, time first."""

class Lorentz:
    """
    The hyperboloid of a negative curvature, time first; operations work row by row.

    >>> Lorentz(-1.0).expmap0(Tensor(1, 2)).tolist()
    [[1.0, 0.0]]
    """

    def __init__(self, curvature: float = -1.0) -> None: ...

    def curvature(self) -> float:
        """The curvature."""

    def radius(self) -> float:
        """1/√κ."""

    def __repr__(self) -> str: ...

    def __eq__(self, arg: Lorentz, /) -> bool: ...

    def __hash__(self) -> int: ...

    def __reduce__(self) -> tuple: ...

    def project(self, x: Tensor) -> Tensor:
        """X with its time recomputed; beyond radius 40/√κ scaled back."""

    def lift(self, t: Tensor) -> Tensor:
        """A column of zeros before t."""

    def drop(self, t: Tensor) -> Tensor:
        """t without its time column."""

    def expmap0(self, v: Tensor) -> Tensor:
        """Exponential map at the origin."""

    def logmap0(self, y: Tensor) -> Tensor:
        """Its inverse."""

    def expmap(self, x: Tensor, v: Tensor) -> Tensor:
        """Exponential map at x."""

    def logmap(self, x: Tensor, y: Tensor) -> Tensor:
        """The tangent vector at x whose exponential is y."""

    def parallel_transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        """v carried along the geodesic from x to y."""

    def geodesic(self, x: Tensor, y: Tensor, t: object) -> Tensor:
        """The point at t of the geodesic from x (0) to y (1)."""

    def from_poincare(self, p: Tensor) -> Tensor:
        """Points of the ball, as points of the hyperboloid."""

    def to_poincare(self, x: Tensor) -> Tensor:
        """Its inverse."""

    def from_poincare_tangent(self, p: Tensor, w: Tensor) -> Tensor:
        """Tangent vectors w at points p of the ball, carried to the hyperboloid."""

    def to_poincare_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        """Tangent vectors v at x, carried to the ball."""

    def mobius_add(self, x: Tensor, y: Tensor) -> Tensor:
        """x ⊕ y of the ball's points."""

    def mobius_scalar(self, t: object, x: Tensor) -> Tensor:
        """t ⊗ x of the ball's points; t a number or an (r, 1) tensor."""

    def mobius_matvec(self, m: Tensor, x: Tensor) -> Tensor:
        """exp_0(log_0(x)·m) of the ball's points, m of shape (c, q)."""

    def gyration(self, a: Tensor, b: Tensor, v: Tensor) -> Tensor:
        """The rotation gyr[a, b]v of the ball's points."""

    def dist(self, x: Tensor, y: Tensor, squared: bool = False) -> Tensor:
        """(r, 1) geodesic distances."""

    def dist_matrix(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """(r, s) distances of all pairs of rows; without y of x to itself."""

    def conformal_factor(self, x: Tensor) -> Tensor:
        """(r, 1): 1 + √κx₀, that of the ball's point."""

    def egrad2rgrad(self, x: Tensor, g: Tensor) -> Tensor:
        """Riemannian gradient of a Euclidean differential."""

    def gyromidpoint(self, x: Tensor, weights: object | None = None) -> Tensor:
        """(1, c + 1) normalised centroid."""

    def frechet_mean(self, x: Tensor, weights: object | None = None, tol: float = 1e-09, max_iter: int = 1000) -> Tensor:
        """(1, c + 1) minimiser of the weighted squared distances."""

class OpenTopos:
    """A numeric guard: bounds on values, sizes and depth."""

    def __init__(self, curvature: float, tolerance: float = 1e-06, saturation: float = 1000000.0, max_depth: int = 4096, max_volume: int = 1048576) -> None: ...

    def curvature(self) -> float:
        """The curvature."""

    def tolerance(self) -> float:
        """Tolerance of matching curvatures."""

    def saturation(self) -> float:
        """Bound on absolute values."""

    def max_depth(self) -> int:
        """Bound on depth."""

    def max_volume(self) -> int:
        """Bound on entries."""

    def guard_tensor(self, label: str, tensor: Tensor) -> None:
        """Raises for a tensor that is too large or not finite."""

    def guard_depth(self, depth: int) -> None:
        """Raises from max_depth on."""

    def saturate_scalar(self, value: float) -> float:
        """The value cut to the bound."""

    def saturate_tensor(self, tensor: Tensor) -> None:
        """Cuts the elements to the bound, in place."""

    def rewrite(self, label: str, tensor: Tensor) -> Tensor:
        """The same on a copy."""

    def __repr__(self) -> str: ...

class TensorBiome:
    """A weighted list of equally shaped tensors."""

    def __init__(self, topos: OpenTopos) -> None: ...

    def absorb(self, label: str, tensor: Tensor) -> None:
        """Absorbs with weight 1."""

    def absorb_weighted(self, label: str, tensor: Tensor, weight: float) -> None:
        """Stores the guard's rewrite of the tensor under a label."""

    def canopy(self, mode: str = 'mean') -> Tensor:
        """Weighted mean, or with 'gyro' row by row the gyromidpoint."""

    def stack(self) -> Tensor:
        """All tensors below each other."""

    def topos(self) -> OpenTopos:
        """The guard."""

    def labels(self) -> list[str]:
        """Labels in order."""

    def weights(self) -> list[float]:
        """Weights in order."""

    def shoots(self) -> list[Tensor]:
        """Copies of the tensors."""

    def total_weight(self) -> float:
        """Sum of the weights."""

    def len(self) -> int:
        """Number of tensors."""

    def __len__(self) -> int: ...

    def is_empty(self) -> bool:
        """Whether there is none."""

    def clear(self) -> None:
        """Forgets all, and the shape."""

    def __repr__(self) -> str: ...

class LanguageWaveEncoder:
    """Text to a point of Z-space by the Fourier transform of its samples."""

    def __init__(self, curvature: float, temperature: float) -> None: ...

    def curvature(self) -> float:
        """The curvature."""

    def temperature(self) -> float:
        """Scale of the samples."""

    def encode_wave(self, text: object) -> ComplexTensor:
        """(1, n) discrete Fourier transform of the text's samples."""

    def encode_z_space(self, text: object, dim: int | None = None) -> Tensor:
        """(1, 2n) point of the ball, or its first dim coordinates."""

    def encode_many(self, texts: object, dim: int | None = None) -> list[Tensor]:
        """The individual results, computed in parallel."""

    def encode_stream(self, chunks: object, window: int, hop: int, dim: int | None = None) -> Tensor:
        """
        (frames, 2·window) short-time spectra of a text that arrives in pieces.
        """

    def __repr__(self) -> str: ...

class BarycenterIntermediate:
    """
    A stage between the weighted mean (interpolation 0) and the barycenter (1).
    """

    @property
    def interpolation(self) -> float: ...

    @property
    def density(self) -> Tensor: ...

    @property
    def kl_energy(self) -> float: ...

    @property
    def entropy(self) -> float: ...

    @property
    def objective(self) -> float: ...

    def as_tuple(self) -> tuple:
        """(interpolation, density, kl_energy, entropy, objective)."""

    def __repr__(self) -> str: ...

class ZSpaceBarycenter:
    """The barycenter of densities and its energies."""

    @property
    def density(self) -> Tensor: ...

    @property
    def kl_energy(self) -> float: ...

    @property
    def entropy(self) -> float: ...

    @property
    def coupling_energy(self) -> float: ...

    @property
    def objective(self) -> float: ...

    @property
    def effective_weight(self) -> float: ...

    def intermediates(self) -> list[BarycenterIntermediate]:
        """Five stages with objectives that do not increase."""

    def as_dict(self) -> dict:
        """Everything by name."""

    def __repr__(self) -> str: ...

def z_space_barycenter(densities: object, weights: object | None = None, entropy_weight: float = 0.0, beta_j: float = 0.0, coupling: Tensor | None = None) -> dict:
    """Barycenter of densities in closed form, as a dict."""

class Hypergrad:
    """
    Accumulates Euclidean differentials and steps inside the Poincaré ball.
    """

    def __init__(self, curvature: float, learning_rate: float, rows: int, cols: int, topos: OpenTopos | None = None) -> None: ...

    @staticmethod
    def euclidean(learning_rate: float, rows: int, cols: int, topos: OpenTopos | None = None) -> Hypergrad:
        """A tape of flat space, whose apply is a plain step."""

    def curvature(self) -> float:
        """The curvature; 0 in flat space."""

    @property
    def manifold(self) -> "std::variant<spiraltorch::Euclidean, spiraltorch::PoincareBall>":
        """Euclidean() or a PoincareBall."""

    def learning_rate(self) -> float:
        """Step size."""

    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""

    def gradient(self) -> list[float]:
        """Flat row-major copy of the buffer."""

    def topos(self) -> OpenTopos:
        """The guard."""

    def reset(self) -> None:
        """Empties the buffer."""

    def scale_learning_rate(self, factor: float) -> None:
        """Multiplies the step size."""

    def set_learning_rate(self, rate: float) -> None:
        """Sets the step size, which may be 0."""

    def accumulate_wave(self, tensor: Tensor) -> None:
        """Adds a Euclidean differential."""

    def accumulate_complex_wave(self, wave: ComplexTensor) -> None:
        """The same with a complex wave (r, c) on a tape (r, 2c)."""

    def accumulate_pair(self, prediction: Tensor, target: Tensor) -> None:
        """Adds prediction - target, the gradient of half their squared distance."""

    def accumulate_barycenter_path(self, intermediates: object) -> None:
        """Adds the differential that leads along a barycenter's stages."""

    def absorb_text(self, encoder: LanguageWaveEncoder, text: object) -> None:
        """Adds the text's point: apply then moves away from it."""

    def apply(self, weights: Tensor) -> None:
        """Riemannian gradient step of the weights in place; empties the buffer."""

    def __repr__(self) -> str: ...

class DifferentialResonance:
    """The values of a trace."""

    def homotopy_flow(self) -> Tensor:
        """(r, c): the seed moved along the deformations' geodesics."""

    def commutator(self) -> Tensor:
        """(r, c): how far the first two deformations are from commuting."""

    def functor_value(self) -> Tensor:
        """(r, q): source times kernel."""

    def functor_linearisation(self) -> Tensor:
        """(r, q): derivative along the last direction."""

    def recursive_objective(self) -> Tensor:
        """(1, 5): objectives of the barycenter's stages."""

    def infinity_projection(self) -> Tensor:
        """(r, c): mean of the tower's levels."""

    def infinity_energy(self) -> Tensor:
        """(1, L): |curvature| times squared norm of each level."""

    def as_dict(self) -> dict:
        """All seven by name."""

    def __repr__(self) -> str: ...

class SpiralDifferentialTrace:
    """
    Geodesic steps, linear maps, a barycenter and a tower over one seed. Setters return the trace.
    """

    def deform(self, generator: Tensor, direction: Tensor) -> SpiralDifferentialTrace:
        """Appends a geodesic step along generator∘direction."""

    def via(self, kernel: Tensor, source: Tensor | None = None) -> SpiralDifferentialTrace:
        """Appends a linear map; source replaces the seed as its operand."""

    def across(self, topos: OpenTopos) -> SpiralDifferentialTrace:
        """The guard of this trace."""

    def with_barycenter(self, barycenter: ZSpaceBarycenter) -> SpiralDifferentialTrace:
        """Installs a solved barycenter."""

    def with_barycenter_from(self, weights: object, densities: object) -> SpiralDifferentialTrace:
        """Solves one with the session's settings."""

    def with_barycenter_with(self, weights: object, densities: object, coupling: Tensor | None = None) -> SpiralDifferentialTrace:
        """The same with this coupling, or none."""

    def with_infinity(self, levels: object, curvatures: object | None = None) -> SpiralDifferentialTrace:
        """The tower: tensors of the seed's shape and a curvature for each."""

    def resonate(self) -> DifferentialResonance:
        """Evaluates the trace."""

    def resonate_with_hypergrad(self, hypergrad: Hypergrad) -> DifferentialResonance:
        """The same, and the barycenter's path onto the tape."""

    @property
    def sot_plan(self) -> object:
        """The attached spiral plan, or None."""

    def __repr__(self) -> str: ...

class Launch:
    """One launch of a plan."""

    @property
    def kernel(self) -> str:
        """Its name."""

    @property
    def grid(self) -> tuple:
        """Blocks."""

    @property
    def block(self) -> int:
        """Threads of a block."""

    @property
    def shared_bytes(self) -> int:
        """Workgroup memory."""

    @property
    def tasks(self) -> int:
        """CPU: tasks."""

    @property
    def threads(self) -> int:
        """CPU: threads."""

    def __eq__(self, arg: object, /) -> object: ...

    def __hash__(self) -> int: ...

    def __repr__(self) -> str: ...

class RankPlan:
    """
    How a selection will run: a read-only mapping with the keys kind, rows, cols, k and choice, and more as attributes.

    >>> plan("topk", 8, 65536, 1024)["choice"]["workgroup"] > 0
    True
    """

    @property
    def kind(self) -> str:
        """topk, midk or bottomk."""

    @property
    def rows(self) -> int:
        """Rows."""

    @property
    def cols(self) -> int:
        """Columns."""

    @property
    def k(self) -> int:
        """Elements wanted of each row."""

    @property
    def choice(self) -> object:
        """What is launched, a read-only mapping."""

    @property
    def use_2ce(self) -> bool:
        """More than one launch."""

    @property
    def workgroup(self) -> int:
        """Threads of the launch that reads the input."""

    @property
    def kl(self) -> int:
        """Items held per lane."""

    @property
    def channel_stride(self) -> int:
        """Columns of a piece of a split row; 0: not split."""

    @property
    def merge_kind(self) -> int:
        """0 sort or none, 1 workgroup or core, 2 warp, 3 radix."""

    @property
    def merge_detail(self) -> int:
        """
        0 none, 1 one queue, 2 lists, 3 tile sort, 4 warp queue, 6 and 7 radix.
        """

    @property
    def tile(self) -> int:
        """Columns read per sweep."""

    @property
    def compaction_tile(self) -> int:
        """Columns per tile of the ordered compaction; 0: none."""

    @property
    def k_effective(self) -> int:
        """min(k, cols)."""

    @property
    def device(self) -> str:
        """The device it is for."""

    @property
    def requested_device(self) -> str:
        """The string asked for."""

    @property
    def backend(self) -> str:
        """cpu, wgpu, cuda or hip."""

    @property
    def simulated(self) -> bool:
        """Made from a template: to read, never to execute."""

    @property
    def algorithm(self) -> str:
        """How it selects."""

    @property
    def sort_stage(self) -> str:
        """How survivors are sorted."""

    @property
    def subgroup(self) -> bool:
        """Whether subgroup operations are used."""

    @property
    def grid(self) -> tuple:
        """Grid of the launch that reads the input; CPU: tasks first."""

    @property
    def block(self) -> int:
        """Its threads."""

    @property
    def shared_bytes(self) -> int:
        """Its workgroup memory."""

    @property
    def passes(self) -> int:
        """How often the input is read at most."""

    @property
    def workspace_bytes(self) -> int:
        """All scratch, allocated before the first launch."""

    @property
    def provenance(self) -> str:
        """rule, tuned or override."""

    @property
    def rejected(self) -> tuple:
        """(algorithm, reason) of each earlier choice that cannot serve."""

    @property
    def fingerprint(self) -> str:
        """Of the capabilities it was made for."""

    @property
    def planner_version(self) -> int:
        """Raised with every change of rules or lowering."""

    def __getitem__(self, arg: object, /) -> object: ...

    def __contains__(self, arg: object, /) -> bool: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator: ...

    def keys(self) -> list:
        """kind, rows, cols, k, choice."""

    def values(self) -> list:
        """The keys' values."""

    def items(self) -> list:
        """Pairs of key and value."""

    def get(self, key: object, default: object | None = None) -> object:
        """The key's value, or the default."""

    def lower(self, sorted: bool = True, nan: str = 'last') -> tuple:
        """The launches of one execution, in order."""

    def explain(self) -> str:
        """The choice and why, what was ruled out, and the launches."""

    def replace(self, **changes) -> RankPlan:
        """
        The plan with another algorithm, workgroup or channel_stride, validated.
        """

    def to_dict(self) -> object:
        """All fields as plain values."""

    @staticmethod
    def from_dict(fields: dict) -> RankPlan:
        """
        The plan of such a dict; InvalidArgument where its fields do not agree.
        """

    def __eq__(self, arg: object, /) -> object: ...

    def __hash__(self) -> int: ...

    def __repr__(self) -> str: ...

    def __getstate__(self) -> str: ...

    def __setstate__(self, arg: str, /) -> None: ...

def plan(kind: object, rows: object, cols: object, k: object, device: str | None = None) -> RankPlan:
    """
    Plans a selection: kind topk, midk or bottomk; sizes 0 to 2**32-1. An absent device is planned from its template, simulated.
    """

def plan_topk(rows: object, cols: object, k: object, device: str | None = None) -> RankPlan:
    """plan("topk", ...)."""

class IndexTensor:
    """
    A two-dimensional, row-major matrix of integers: columns found by rank selection, counts.
    """

    @property
    def rows(self) -> int:
        """Number of rows."""

    @property
    def cols(self) -> int:
        """Number of columns."""

    @property
    def device(self) -> str:
        """Where the elements live."""

    @property
    def dtype(self) -> str:
        """int32 or int64."""

    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""

    def data(self) -> list[int]:
        """Flat row-major list."""

    def tolist(self) -> list[list[int]]:
        """List of rows."""

    def item(self) -> int:
        """The element of a (1, 1) tensor."""

    def __int__(self) -> int: ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: tuple[int, int]) -> int: ...

    def to(self, device: str) -> IndexTensor:
        """The same tensor on a device."""

    def __repr__(self) -> str: ...

    def __dlpack__(self, **kwargs) -> object: ...

    def __dlpack_device__(self) -> tuple[int, int]: ...

    @property
    def __array_interface__(self) -> dict: ...

    def __getstate__(self) -> tuple[int, int, list[int], bool]: ...

    def __setstate__(self, arg: tuple[int, int, Sequence[int], bool], /) -> None: ...

class RankResult:
    """
    Unpacks as (values, indices), each of shape (rows, k). Slots that no element fills hold NaN and index -1.
    """

    @property
    def values(self) -> Tensor:
        """The input's elements."""

    @property
    def indices(self) -> IndexTensor:
        """Their columns."""

    @property
    def plan(self) -> RankPlan:
        """What ran."""

    @property
    def trace(self) -> tuple:
        """The launches as they were issued; equals plan.lower(sorted, nan)."""

    def __len__(self) -> int: ...

    def __getitem__(self, arg: int, /) -> object: ...

    def __iter__(self) -> Iterator: ...

    def __repr__(self) -> str: ...

def topk(tensor: object, k: object, *, device: object | None = None, sorted: bool = True, nan: str = 'last', plan: object | None = None) -> RankResult:
    """
    The k largest elements of each row, largest first, equal ones lowest column first.

    >>> values, indices = topk(Tensor([[1.0, 3.0, 2.0]]), 2)
    >>> indices.tolist()
    [[1, 2]]
    """

def midk(tensor: object, k: object, *, device: object | None = None, sorted: bool = True, nan: str = 'last', plan: object | None = None) -> RankResult:
    """
    The k central elements of each row in ascending order: of m elements, ranks (m - k)//2 and on. k = 1 is the (lower) median.
    """

def bottomk(tensor: object, k: object, *, device: object | None = None, sorted: bool = True, nan: str = 'last', plan: object | None = None) -> RankResult:
    """The k smallest elements of each row, smallest first."""

def rank(plan: RankPlan, tensor: object, *, sorted: bool = True, nan: str = 'last') -> RankResult:
    """Executes a plan; kind and k are the plan's."""

def compact_range(tensor: object, low: object, high: object) -> tuple:
    """
    (values, indices, counts) of the elements with low <= x <= high: row 0's, then row 1's, in ascending column order; counts is (rows, 1). NaN is never kept.
    """

def band_split(gradient: object, above: object, beneath: object, tolerance: float = 0.0) -> tuple:
    """
    Splits a gradient by |g|: a string of A (the first `above`), B (the last `beneath`) and H (the rest, and every |g| <= tolerance), one letter an element, and the sums of |g| of A, H and B.
    """

class Euclidean:
    """Flat space, as a parameter's manifold."""

    def __init__(self) -> None: ...

    def __repr__(self) -> str: ...

    def __eq__(self, arg: Euclidean, /) -> bool: ...

    def __hash__(self) -> int: ...

class Parameter(Tensor):
    """A leaf tensor that knows its manifold and may have a tape."""

    def __init__(self, tensor: Tensor, manifold: Euclidean | PoincareBall = ..., requires_grad: bool = True) -> None: ...

    @property
    def manifold(self) -> Euclidean | PoincareBall:
        """Euclidean() or a PoincareBall."""

    @property
    def tape(self) -> Hypergrad:
        """The tape that takes gradients, or None."""

    def attach_tape(self, tape: Hypergrad) -> None:
        """Gradients go to the tape from now on; drops gradient and former tape."""

    def detach_tape(self) -> None:
        """Gradients go into grad again."""

    def __repr__(self) -> str: ...

class Module:
    """
    A differentiable map with parameters. A class derived from it calls super().__init__() first and defines forward; attributes that are parameters or modules register themselves.
    """

    def __init__(self) -> None: ...

    def forward(self, input: Tensor) -> Tensor:
        """The map."""

    def __call__(self, *args, **kwargs) -> object: ...

    def train(self, mode: bool = True) -> object:
        """Sets the mode here and below; returns the module."""

    def eval(self) -> object:
        """train(False)."""

    def backward(self, input: Tensor, grad_output: Tensor) -> Tensor:
        """
        Forward, then the vector-Jacobian product: accumulates the parameters' gradients, returns the input's.
        """

    def __repr__(self) -> str: ...

    def parameters(self) -> list[Parameter]:
        """Every parameter once, in definition order."""

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        """(name, parameter) pairs."""

    def children(self) -> list[Module]:
        """Direct parts that are modules."""

    def modules(self) -> list:
        """This module and all below it."""

    @property
    def training(self) -> bool:
        """Whether in training mode."""

    def zero_grad(self) -> None:
        """Drops all gradients; empties tapes."""

    def state_dict(self) -> dict:
        """Copies of the parameters by name."""

    def load_state_dict(self, state: dict, strict: bool = True) -> None:
        """
        Copies values in by name, after all checks; strict wants exactly the own names.
        """

    def save(self, path: object) -> None:
        """Writes the parameters as safetensors, atomically."""

    def load(self, path: object, strict: bool = True, cast: bool = False) -> None:
        """
        Reads safetensors with the right names, after all checks; cast rounds other float types.
        """

    def __setattr__(self, name: object, value: object | None) -> None: ...

    def __delattr__(self, name: object) -> None: ...

class Linear(Module):
    """Y = XW + b; W is input_dim × output_dim."""

    def __init__(self, input_dim: int, output_dim: int, name: str = 'linear', *, bias: bool = True, init: str = 'kaiming', gain: float = 1.0) -> None: ...

    @property
    def weight(self) -> Parameter: ...

    @property
    def bias(self) -> Parameter | None: ...

class Sequential(Module):
    """Layers one after the other."""

    def __init__(self, layers: object = ()) -> None: ...

    def append(self, layer: Module) -> None:
        """Adds a layer at the end."""

    def __len__(self) -> int: ...

    def __bool__(self) -> bool: ...

    def __getitem__(self, key: object) -> object: ...

    def __iter__(self) -> Iterator: ...

class Relu(Module):
    """max(x, 0)."""

    def __init__(self) -> None: ...

class Tanh(Module):
    """Elementwise hyperbolic tangent."""

    def __init__(self) -> None: ...

class Sigmoid(Module):
    """1/(1 + exp(-x))."""

    def __init__(self) -> None: ...

class Softmax(Module):
    """Softmax over each row."""

    def __init__(self) -> None: ...

class Gelu(Module):
    """x·Φ(x); approximate='tanh' for its usual approximation."""

    def __init__(self, approximate: str = 'none') -> None: ...

class Dropout(Module):
    """Drops elements with probability p in training."""

    def __init__(self, p: float = 0.5) -> None: ...

    @property
    def p(self) -> float: ...

class LayerNorm(Module):
    """Rows to mean 0 and variance 1, then times weight plus bias."""

    def __init__(self, dim: int, eps: float = 1e-05, name: str = 'layer_norm', *, affine: bool = True) -> None: ...

    @property
    def weight(self) -> Parameter | None: ...

    @property
    def bias(self) -> Parameter | None: ...

class Embedding(Module):
    """Rows of a table by number."""

    def __init__(self, count: int, dim: int, name: str = 'embedding') -> None: ...

    def forward(self, input: object) -> Tensor:
        """
        Rows by number, from a Tensor of integers, an IndexTensor or a sequence; L a row stand side by side.
        """

    @property
    def weight(self) -> Parameter: ...

class PoincareEmbedding(Module):
    """Points of the ball by number."""

    def __init__(self, count: int, dim: int, curvature: float = -1.0, init_radius: float = 0.001, name: str = 'poincare_embedding') -> None: ...

    @staticmethod
    def from_pretrained(points: Tensor, curvature: float = -1.0, name: str = 'poincare_embedding') -> PoincareEmbedding:
        """A table of these points, a copy."""

    def forward(self, input: object) -> Tensor:
        """
        Rows by number, from a Tensor of integers, an IndexTensor or a sequence; L a row stand side by side.
        """

    def distance(self, i: int, j: int) -> float:
        """Between the points i and j."""

    def curvature(self) -> float: ...

    @property
    def weight(self) -> Parameter: ...

class PoincareLinear(Module):
    """(W ⊗ x) ⊕ b in the ball."""

    def __init__(self, input_dim: int, output_dim: int, curvature: float = -1.0, name: str = 'poincare_linear', *, bias: bool = True, gain: float = 1.0) -> None: ...

    def curvature(self) -> float: ...

    @property
    def weight(self) -> Parameter: ...

    @property
    def bias(self) -> Parameter | None: ...

class PoincareMLR(Module):
    """Logits from signed distances to hyperplanes of the ball."""

    def __init__(self, dim: int, classes: int, curvature: float = -1.0, name: str = 'poincare_mlr', *, gain: float = 1.0) -> None: ...

    def curvature(self) -> float: ...

    @property
    def weight(self) -> Parameter: ...

    @property
    def offset(self) -> Parameter: ...

class Loss:
    """A differentiable number that is to be made small."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The (1, 1) loss."""

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor: ...

    def backward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The derivative by the prediction."""

    def __repr__(self) -> str: ...

class MeanSquaredError(Loss):
    """Mean of (prediction - target)²."""

    def __init__(self) -> None: ...

class CrossEntropy(Loss):
    """
    Of softmax(prediction) and a column of class numbers, or rows of probabilities.
    """

    def __init__(self) -> None: ...

class HyperbolicCrossEntropy(Loss):
    """
    Logistic cross-entropy of signed hyperbolic lengths and labels in [0, 1].
    """

    def __init__(self, curvature: float = -1.0, epsilon: float = 1e-05) -> None: ...

class PoincareDistanceLoss(Loss):
    """Mean squared distance of rows in the ball."""

    def __init__(self, curvature: float = -1.0) -> None: ...

class FermiDiracLoss(Loss):
    """Cross-entropy of fermi_dirac(distance) and edge labels."""

    def __init__(self, radius: float = 2.0, temperature: float = 1.0) -> None: ...

def fermi_dirac(distance: Tensor, radius: float = 2.0, temperature: float = 1.0) -> Tensor:
    """1/(1 + exp((distance - radius)/temperature))."""

class ParamGroup:
    """Settings of a group of parameters as a mapping; "lr" may be set."""

    def __getitem__(self, key: str) -> object: ...

    def __setitem__(self, key: str, value: object) -> None: ...

    def __contains__(self, arg: str, /) -> bool: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator: ...

    def keys(self) -> list: ...

    def values(self) -> list: ...

    def items(self) -> list: ...

    def __repr__(self) -> str: ...

class Optimizer:
    """
    Changes parameters by their gradients, in place, each on its own manifold.
    """

    def step(self) -> None:
        """One step; ValueError unless gradients are finite."""

    def zero_grad(self) -> None:
        """Drops all gradients."""

    @property
    def param_groups(self) -> list:
        """A list of mappings; "lr" may be written."""

    def learning_rate(self, group: int = 0) -> float:
        """The rate of a group."""

    def set_learning_rate(self, group: int, lr: float) -> None:
        """Finite, at least 0."""

    def state_dict(self) -> dict:
        """Copies: step, learning_rates, slots (a dict a parameter)."""

    def load_state_dict(self, state: dict) -> None:
        """Checks everything, then writes."""

    def __repr__(self) -> str: ...

class SGD(Optimizer):
    """
    w <- w - lr·d with momentum; on the ball along geodesics (Bonnabel 2013).
    """

    def __init__(self, params: Sequence, lr: float = 0.01, momentum: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False) -> None: ...

class Adam(Optimizer):
    """Kingma & Ba 2015; on the ball Bécigneul & Ganea 2019."""

    def __init__(self, params: Sequence, lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-08, weight_decay: float = 0.0, amsgrad: bool = False, lazy: bool = False) -> None: ...

class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    def __init__(self, params: Sequence, lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-08, weight_decay: float = 0.01, amsgrad: bool = False, lazy: bool = False) -> None: ...

class RiemannianSGD(SGD):
    """SGD under the literature's name."""

    def __init__(self, params: Sequence, lr: float = 0.01, momentum: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False) -> None: ...

class RiemannianAdam(Adam):
    """Adam under the literature's name."""

    def __init__(self, params: Sequence, lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-08, weight_decay: float = 0.0, amsgrad: bool = False, lazy: bool = False) -> None: ...

def gradient_norm(parameters: Sequence[Parameter]) -> float:
    """The norm of all gradients, each on its own manifold."""

class Scheduler:
    """Sets rate = base·f(t); t counts from 0."""

    @property
    def factor(self) -> float:
        """f(t)."""

    @property
    def interval(self) -> str:
        """How often fit calls step: "epoch" or "step"."""

    @property
    def needs_metric(self) -> bool:
        """Whether step wants a metric."""

    def step(self, metric: float | None = None) -> None:
        """Advances t and sets the rates."""

    def attach(self, optimizer: Optimizer) -> None:
        """
        Reads the base rates now, and sets rate = base·f(t) now and at each step.
        """

    def state_dict(self) -> dict:
        """t, factor, best, bad, cooldown, base_rates."""

    def load_state_dict(self, state: dict) -> None:
        """Checks, writes and sets the rates."""

    def __repr__(self) -> str: ...

class ConstantLR(Scheduler):
    """f = 1."""

    def __init__(self, *, interval: str = 'epoch', optimizer: Optimizer | None = None) -> None: ...

class StepLR(Scheduler):
    """gamma^floor(t/step_size)."""

    def __init__(self, step_size: int, gamma: float = 0.1, *, interval: str = 'epoch', optimizer: Optimizer | None = None) -> None: ...

class CosineLR(Scheduler):
    """Half a cosine from 1 to floor at t = total, then floor."""

    def __init__(self, total: int, floor: float = 0.0, *, interval: str = 'epoch', optimizer: Optimizer | None = None) -> None: ...

class WarmupLR(Scheduler):
    """From start to 1 in steps, then another schedule, or 1."""

    def __init__(self, steps: int, start: float = 0.0, then: Scheduler | None = None, *, interval: str = 'epoch', optimizer: Optimizer | None = None) -> None: ...

class BurnInLR(Scheduler):
    """factor for t < steps, then 1."""

    def __init__(self, steps: int, factor: float = 0.1, *, interval: str = 'epoch', optimizer: Optimizer | None = None) -> None: ...

class PlateauLR(Scheduler):
    """f times factor when a metric no longer falls."""

    def __init__(self, factor: float = 0.1, patience: int = 10, threshold: float = 0.0001, cooldown: int = 0, floor: float = 0.0, *, interval: str = 'epoch', optimizer: Optimizer | None = None) -> None: ...

class SoT3DStep:
    """One step of a spiral plan."""

    @property
    def index(self) -> int: ...

    @property
    def angle(self) -> float: ...

    @property
    def radius(self) -> float: ...

    @property
    def x(self) -> float: ...

    @property
    def y(self) -> float: ...

    @property
    def height(self) -> float: ...

    @property
    def z_track(self) -> float: ...

    @property
    def curvature(self) -> float: ...

    @property
    def macro_index(self) -> int: ...

    @property
    def macro_length(self) -> int: ...

    @property
    def macro_position(self) -> int: ...

    @property
    def macro_phase(self) -> float: ...

    @property
    def macro_reflection(self) -> bool: ...

    @property
    def meso_index(self) -> int: ...

    @property
    def meso_length(self) -> int: ...

    @property
    def meso_position(self) -> int: ...

    @property
    def meso_phase(self) -> float: ...

    @property
    def meso_reflection(self) -> bool: ...

    @property
    def micro_index(self) -> int: ...

    @property
    def micro_length(self) -> int: ...

    @property
    def micro_position(self) -> int: ...

    @property
    def micro_phase(self) -> float: ...

    @property
    def micro_reflection(self) -> bool: ...

    @property
    def meso_role(self) -> str: ...

    @property
    def micro_role(self) -> str: ...

    def position(self) -> tuple[float, float, float]:
        """(x, y, height)."""

    def as_dict(self) -> dict:
        """All values, the blocks' nested."""

class MacroSummary:
    """One macro block of a spiral plan."""

    @property
    def index(self) -> int: ...

    @property
    def start(self) -> int: ...

    @property
    def length(self) -> int: ...

    @property
    def ideal_length(self) -> int: ...

    @property
    def reflection_step(self) -> int: ...

    @property
    def height_gain(self) -> float: ...

    @property
    def mean_curvature(self) -> float: ...

    def as_dict(self) -> dict:
        """All values."""

class SoT3DPlan:
    """
    A spiral of golden-angle steps in nested blocks of Fibonacci, tribonacci and tetranacci lengths.
    """

    @property
    def total_steps(self) -> int: ...

    @property
    def base_radius(self) -> float: ...

    @property
    def radial_growth(self) -> float: ...

    @property
    def base_height(self) -> float: ...

    @property
    def meso_gain(self) -> float: ...

    @property
    def micro_gain(self) -> float: ...

    @property
    def spacing(self) -> str: ...

    def __len__(self) -> int: ...

    def __bool__(self) -> bool: ...

    def __repr__(self) -> str: ...

    def steps(self) -> list[SoT3DStep]:
        """All steps."""

    def as_dicts(self) -> list:
        """All steps as dicts."""

    def macro_summaries(self) -> list[MacroSummary]:
        """The macro blocks."""

    def polyline(self) -> list:
        """(x, y, height) of each step."""

    def reflection_points(self) -> list[tuple[int, str]]:
        """(step, kind) of each block's last step."""

    def as_tensor(self) -> Tensor:
        """(n, 3): x, y, height."""

    def feature_tensor(self) -> Tensor:
        """
        (n, 9): radius, angle, height, curvature, macro, meso and micro phase, meso_gain, micro_gain.
        """

    def reflection_tensor(self) -> Tensor:
        """(n, 3): macro, meso and micro reflections as 0 and 1."""

    def role_tensor(self) -> Tensor:
        """(n, 2): meso index mod 3, micro index mod 4."""

    def macro_summary_tensor(self) -> Tensor:
        """
        (macros, 6): index, length, ideal_length, height_gain, mean_curvature, reflection_step.
        """

    def grow_biome(self, topos: OpenTopos, label_prefix: str = 'sot', include_reflections: bool = True) -> TensorBiome:
        """A biome of the plan's (n, 3) views."""

class ZSpaceProjector(Module):
    """
    Rows of numbers, texts, spirals and biomes as points of the ball: guarded, clipped to the topos' saturation, mapped by the exponential map at the origin.
    """

    def __init__(self, topos: OpenTopos, encoder: LanguageWaveEncoder) -> None: ...

    def curvature(self) -> float: ...

    def topos(self) -> OpenTopos: ...

    def encode_text(self, text: str, dim: int | None = None) -> Tensor:
        """The encoder's point of Z-space, guarded."""

    def project_spiral(self, plan: SoT3DPlan) -> Tensor:
        """The plan's steps as points."""

    def reimport_biome(self, biome: TensorBiome) -> Tensor:
        """The biome's canopy as points."""

def golden_angle() -> float:
    """pi * (3 - sqrt(5)), in radians."""

def golden_ratio() -> float:
    """(1 + sqrt(5)) / 2."""

def fibonacci_pacing(n: int) -> list[int]:
    """Lengths 1, 1, 2, 3, 5, ... up to n."""

def pack_tribonacci_chunks(n: int) -> list[int]:
    """n as a sum of 1, 2, 4, 7, 13, ..."""

def pack_tetranacci_chunks(n: int) -> list[int]:
    """n as a sum of 1, 2, 4, 8, 15, ..."""

def generate_plan(total_steps: object, base_radius: float = 1.0, radial_growth: float = 0.05, base_height: float = 1.0, meso_gain: float = 0.2, micro_gain: float = 0.05, spacing: str = 'log') -> SoT3DPlan:
    """
    A spiral plan; spacing is 'log' or 'vogel'.

    >>> generate_plan(64, radial_growth=0.08)
    SoT3DPlan(steps=64, base_radius=1.000, growth=0.080)
    """

class DataIterator:
    """The batches of one epoch, (input, target) each."""

    def __iter__(self) -> object: ...

    def __next__(self) -> tuple: ...

    def close(self) -> None:
        """Ends the epoch; no thread of it is left when this returns."""

class DataLoader:
    """
    Samples in an order, in batches. Immutable: an adapter returns a new loader that shares the source.
    """

    def shuffle(self, seed: object, window: object | None = None) -> DataLoader:
        """
        A new order each epoch, from seed and epoch alone; with a window, by a buffer of so many.
        """

    def take(self, n: object) -> DataLoader:
        """The first n samples."""

    def skip(self, n: object) -> DataLoader:
        """All samples but the first n."""

    def split(self, fraction: object, seed: object | None = None) -> tuple[DataLoader, DataLoader]:
        """
        The first fraction·len samples and the others; with a seed, after a permutation.
        """

    def shard(self, rank: object, world: object, even: bool = False) -> DataLoader:
        """Positions rank, rank + world, …; even: equally many for every rank."""

    def map(self, fn: object) -> DataLoader:
        """Applies fn(input, target) -> (input, target) when a sample is drawn."""

    def batched(self, n: object, drop_last: bool = False) -> DataLoader:
        """Batches of n samples."""

    def prefetch(self, depth: object) -> DataLoader:
        """A thread makes at most depth + 1 batches ahead; 0: none."""

    def len(self) -> int:
        """Number of samples; TypeError for a source without a length."""

    def __len__(self) -> int: ...

    def num_batches(self) -> int | None:
        """Number of batches, None for a source without a length."""

    def is_empty(self) -> bool:
        """Whether there is no sample."""

    @property
    def batch_size(self) -> int:
        """Samples of a batch."""

    @property
    def drop_last(self) -> bool:
        """Whether a last, smaller batch is left out."""

    @property
    def prefetch_depth(self) -> int:
        """Batches of the queue; 0: none."""

    def set_epoch(self, epoch: object) -> None:
        """Sets the counter: how training goes on where it was."""

    @property
    def epoch(self) -> int:
        """The epoch that the next iter() takes."""

    def __iter__(self) -> DataIterator: ...

    def at_epoch(self, epoch: object) -> DataIterator:
        """The batches of an epoch, the counter untouched."""

    def __repr__(self) -> str: ...

def from_vec(samples: Iterable) -> DataLoader:
    """A loader over pairs (input, target) of tensors."""

def from_tensors(inputs: Tensor, targets: Tensor) -> DataLoader:
    """A loader whose sample i is row i of each."""

def from_arrow(source: object, inputs: object, targets: object) -> DataLoader:
    """
    Columns of any object with __arrow_c_stream__, by name or index: numbers, bool, fixed-size lists. A new stream each epoch, of unknown length.
    """

def from_csv(path: object, inputs: object, targets: object, delimiter: str | None = None, header: bool = True) -> DataLoader:
    """Numbers in the columns of a table, by name or index."""

def from_jsonl(path: object, input: str = 'input', target: str = 'target') -> DataLoader:
    """
    An object a line: a number, a list (one row) or a list of equal rows by either key.
    """

def from_npy(inputs: object, targets: object) -> DataLoader:
    """Two memory-mapped .npy files; axes after the first are flattened."""

def from_text(texts: object, encoder: LanguageWaveEncoder, targets: object | None = None, width: object | None = None) -> DataLoader:
    """
    Texts, or the lines of a file, encoded by encode_z_space; the target is the input unless given.
    """

class BandEnergy:
    """Sums of |g| over a gradient's bands."""

    def __init__(self, above: float = 0.0, here: float = 0.0, beneath: float = 0.0) -> None: ...

    @property
    def above(self) -> float:
        """Of the largest entries."""

    @above.setter
    def above(self, arg: float, /) -> None: ...

    @property
    def here(self) -> float:
        """Of the rest."""

    @here.setter
    def here(self, arg: float, /) -> None: ...

    @property
    def beneath(self) -> float:
        """Of the smallest entries."""

    @beneath.setter
    def beneath(self, arg: float, /) -> None: ...

    def l1(self) -> float:
        """Their sum."""

    def norm(self) -> BandEnergy:
        """Their shares of the sum; thirds if it is 0."""

    def __iter__(self) -> Iterator:
        """above, here, beneath."""

    def __eq__(self, arg: BandEnergy, /) -> bool: ...

    def __repr__(self) -> str: ...

class RoundtableSchedule:
    """
    Splits a loss' gradient by size into Above, Here and Beneath and weights the bands.
    """

    def __init__(self, rows: int, cols: int, top_k: int = 8, mid_k: int = 8, bottom_k: int = 8, here_tolerance: float = 1e-05, weights: object = (1.0, 1.0, 1.0), device: str | None = None) -> None: ...

    @property
    def rows(self) -> int:
        """Rows that the plans are for."""

    @property
    def cols(self) -> int:
        """Columns that the plans are for."""

    @property
    def top_k(self) -> int: ...

    @property
    def mid_k(self) -> int: ...

    @property
    def bottom_k(self) -> int: ...

    @property
    def here_tolerance(self) -> float: ...

    @property
    def weights(self) -> object:
        """(above, here, beneath), or a callable."""

    @property
    def plans(self) -> tuple:
        """The rank plans of TopK, MidK and BottomK."""

    def with_weights(self, above: float, here: float, beneath: float) -> RoundtableSchedule:
        """The same schedule with other weights."""

    def split(self, gradient: Tensor) -> tuple:
        """
        (above, here, beneath) of the gradient's shape; they add up to it exactly.
        """

    def band_energy(self, gradient: Tensor) -> BandEnergy:
        """Sums of |g| over the bands."""

    def __repr__(self) -> str: ...

class EpochStats:
    """What one pass over the training batches gave."""

    @property
    def batches(self) -> int:
        """Number of batches."""

    @property
    def samples(self) -> int:
        """Input rows."""

    @property
    def total_loss(self) -> float:
        """Sum of the batches' losses."""

    @property
    def average_loss(self) -> float:
        """Mean over batches."""

    @property
    def mean_loss(self) -> float:
        """Mean over samples."""

    @property
    def grad_norm(self) -> float:
        """Mean norm of the gradient before clipping."""

    @property
    def band_energy(self) -> BandEnergy | None:
        """Mean BandEnergy, None without schedule."""

    @property
    def learning_rate(self) -> float:
        """The rate last in force."""

    @property
    def seconds(self) -> float:
        """Time taken."""

    @property
    def samples_per_second(self) -> float:
        """Speed."""

    def __repr__(self) -> str: ...

class EvalStats:
    """What one evaluation gave."""

    @property
    def batches(self) -> int:
        """Number of batches."""

    @property
    def samples(self) -> int:
        """Input rows."""

    @property
    def average_loss(self) -> float:
        """Mean over batches."""

    @property
    def mean_loss(self) -> float:
        """Mean over samples."""

    @property
    def seconds(self) -> float:
        """Time taken."""

    def __repr__(self) -> str: ...

class EarlyStopping:
    """
    Ends a fit after `patience` epochs without a loss below best - min_delta.
    """

    def __init__(self, patience: int = 5, min_delta: float = 0.0, restore_best: bool = True) -> None: ...

    @property
    def patience(self) -> int:
        """Epochs without improvement."""

    @property
    def min_delta(self) -> float:
        """What counts as one."""

    @property
    def restore_best(self) -> bool:
        """Whether the best epoch's parameters stand at the end."""

class History:
    """(EpochStats, EvalStats or None) of each epoch of a fit."""

    @property
    def epochs(self) -> list:
        """The entries."""

    @property
    def best_epoch(self) -> int | None:
        """Where the average loss was least, or None."""

    @property
    def stopped(self) -> str:
        """'completed', 'early' or 'callback'."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: object) -> object: ...

    def __iter__(self) -> Iterator: ...

    def __repr__(self) -> str: ...

class FitState:
    """What callbacks see of a running fit."""

    @property
    def trainer(self) -> object:
        """The trainer."""

    @property
    def module(self) -> Module:
        """The module."""

    @property
    def epoch(self) -> int:
        """Epoch of this fit, from 0."""

    @property
    def batch(self) -> int:
        """Batches done in it."""

    @property
    def stats(self) -> EpochStats:
        """EpochStats of the epoch so far."""

    @property
    def stop(self) -> bool:
        """Set it to end the fit after this batch or epoch."""

    @stop.setter
    def stop(self, arg: bool, /) -> None: ...

class ProgressEvent:
    """Where a fit is."""

    @property
    def epoch_ended(self) -> bool:
        """Whether an epoch ended, else a batch."""

    @property
    def epoch(self) -> int:
        """From 0."""

    @property
    def epochs(self) -> int:
        """Epochs of the fit."""

    @property
    def batch(self) -> int:
        """Batches done in this epoch."""

    @property
    def batches(self) -> int | None:
        """Batches of an epoch, or None."""

    @property
    def stats(self) -> EpochStats:
        """EpochStats of the epoch so far."""

    @property
    def validation(self) -> EvalStats | None:
        """EvalStats at an epoch's end, or None."""

    @property
    def seconds_left(self) -> float | None:
        """Estimate for the fit, or None."""

class ModuleTrainer:
    """Trains modules: epochs, fits, evaluation, checkpoints."""

    def __init__(self, device: str | None = None, curvature: float = -1.0, hyper_learning_rate: float = 0.05, fallback_learning_rate: float = 0.01, *, optimizer: Optimizer | None = None, scheduler: Scheduler | None = None, clip_norm: float | None = None) -> None: ...

    @property
    def device(self) -> str:
        """Where batches go if a module has no parameter."""

    @property
    def curvature(self) -> float:
        """The session's curvature."""

    @property
    def hyper_learning_rate(self) -> float:
        """Rate of tapes."""

    @property
    def fallback_learning_rate(self) -> float:
        """Rate of parameters without tape and optimizer."""

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer, or None."""

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler, or None."""

    @property
    def clip_norm(self) -> float | None:
        """Bound of the gradient's norm, or None."""

    @property
    def epoch(self) -> int:
        """Finished epochs."""

    @property
    def step(self) -> int:
        """Finished batches."""

    @property
    def last_stats(self) -> EpochStats | None:
        """Of the last epoch; after an exception of its finished batches."""

    def __repr__(self) -> str: ...

    def fit(self, module: Module, loss: object, loader: object, epochs: object, validation: object | None = None, *, schedule: RoundtableSchedule | None = None, progress: object = True, callbacks: object = (), early_stopping: EarlyStopping | None = None) -> History:
        """Several epochs, with a validation after each."""

    def train_epoch(self, module: Module, loss: object, batches: object, schedule: RoundtableSchedule | None = None) -> EpochStats:
        """
        One pass over a DataLoader's next epoch, or an iterable of (input, target) batches.
        """

    def evaluate(self, module: Module, loss: object, loader: object) -> EvalStats:
        """Losses in evaluation mode, without a graph."""

    def checkpoint(self, path: object, module: Module | None = None, loader: object | None = None) -> None:
        """
        Writes all that training depends on; what is omitted is what was used last.
        """

    def resume(self, path: object, module: Module | None = None, loader: object | None = None) -> None:
        """
        Takes a checkpoint back; the next train_epoch or fit finishes the interrupted epoch.
        """

class SpiralSession:
    """
    Device, curvature and rates wired once; makes barycenters, tapes and traces.
    """

    def __init__(self, device: str | None = None, curvature: float = -1.0, hyper_learning_rate: float = 0.05, fallback_learning_rate: float = 0.01, entropy_weight: float = 0.1, beta_j: float = 0.0, topos: OpenTopos | None = None, coupling: Tensor | None = None, seed: int | None = None, strict: bool = False) -> None:
        """
        An absent device becomes the CPU with one warning, or with strict=True an error.
        """

    @property
    def device(self) -> str:
        """
        The device that computes, as text with attributes effective and requested.
        """

    def __enter__(self) -> SpiralSession:
        """Its device becomes the default of new tensors in this thread."""

    def __exit__(self, *args) -> None:
        """The former default is back."""

    def close(self) -> None:
        """Ends the session: what it made lives on, later use is a ValueError."""

    def device_caps(self) -> dict:
        """What the device that computes says of itself, as describe_device does."""

    def plan(self, kind: object, rows: object, cols: object, k: object) -> RankPlan:
        """plan() for the device that computes."""

    @property
    def requested_device(self) -> str:
        """The one asked for."""

    @property
    def hyper_learning_rate(self) -> float:
        """Rate of tapes."""

    @property
    def fallback_learning_rate(self) -> float:
        """Rate of parameters without a tape."""

    @property
    def entropy_weight(self) -> float:
        """Entropy weight of barycenters."""

    @property
    def beta_j(self) -> float:
        """Coupling scale of barycenters."""

    @property
    def coupling(self) -> Tensor | None:
        """Coupling matrix, or None."""

    def curvature(self) -> float:
        """The curvature."""

    def topos(self) -> OpenTopos:
        """The configured guard, else one with default limits."""

    def encoder(self, temperature: float = 0.5) -> LanguageWaveEncoder:
        """A text encoder of the session's curvature."""

    def builder(self) -> SpiralSessionBuilder:
        """A builder filled with this session's options."""

    def barycenter(self, densities: object, weights: object | None = None, entropy_weight: float | None = None, beta_j: float | None = None, coupling: Tensor | None = None) -> ZSpaceBarycenter:
        """Barycenter of densities; None means the session's value."""

    def hypergrad(self, rows: int, cols: int) -> Hypergrad:
        """A tape of the session's curvature, rate and guard."""

    def align_hypergrad(self, hypergrad: Hypergrad, barycenter: ZSpaceBarycenter) -> None:
        """Adds the barycenter's path to the tape."""

    def trace(self, seed: Tensor, sot: dict | None = None) -> SpiralDifferentialTrace:
        """A differential trace over a seed."""

    def trainer(self, optimizer: Optimizer | None = None, scheduler: Scheduler | None = None, clip_norm: float | None = None) -> ModuleTrainer:
        """A ModuleTrainer with the session's values."""

    def roundtable(self, rows: int, cols: int, top_k: int = 8, mid_k: int = 8, bottom_k: int = 8, here_tolerance: float = 1e-05, weights: object = (1.0, 1.0, 1.0)) -> RoundtableSchedule:
        """A RoundtableSchedule whose plans are for the session's device."""

    def prepare_module(self, module: object) -> object:
        """
        Moves the parameters to the session's device and gives each a fresh tape; returns the module.
        """

    def train_epoch(self, trainer: ModuleTrainer, module: Module, loss: object, batches: object, schedule: RoundtableSchedule | None = None) -> EpochStats:
        """The trainer's train_epoch."""

    def __repr__(self) -> str: ...

class SpiralSessionBuilder:
    """A session's options one by one; every setter returns the builder."""

    def __init__(self, device: str | None = None) -> None: ...

    def curvature(self, value: float) -> SpiralSessionBuilder: ...

    def hyper_learning_rate(self, value: float) -> SpiralSessionBuilder: ...

    def fallback_learning_rate(self, value: float) -> SpiralSessionBuilder: ...

    def entropy_weight(self, value: float) -> SpiralSessionBuilder: ...

    def beta_j(self, value: float) -> SpiralSessionBuilder: ...

    def seed(self, value: int) -> SpiralSessionBuilder: ...

    def strict(self, value: bool) -> SpiralSessionBuilder: ...

    def coupling(self, tensor: Tensor | None = None) -> SpiralSessionBuilder: ...

    def topos(self, curvature: float, tolerance: float, saturation: float, max_depth: int, max_volume: int) -> SpiralSessionBuilder: ...

    def topos_guard(self, topos: OpenTopos) -> SpiralSessionBuilder: ...

    def clear_topos(self) -> SpiralSessionBuilder: ...

    def build(self) -> SpiralSession:
        """Checks everything and makes the session."""

class Hierarchy:
    """
    Named nodes and directed, weighted edges child → parent.

    >>> Hierarchy.from_edges([('dog', 'mammal'), ('cat', 'mammal')])
    Hierarchy(nodes=3, edges=2)
    """

    @staticmethod
    def from_edges(edges: object) -> Hierarchy:
        """(child, parent) pairs or (child, parent, weight) triples."""

    @staticmethod
    def from_csv(path: object, delimiter: str | None = None, header: object = 'auto', columns: tuple[int, int] = (0, 1), weight: int | None = None, comment: str | None = '#') -> Hierarchy:
        """
        A .csv, .tsv or .txt file, or such a .gz, in one streaming pass. The first line chooses the delimiter where it is None, and whether it is a header.
        """

    @staticmethod
    def from_jsonl(path: object, child: str = 'child', parent: str = 'parent', weight: str | None = None) -> Hierarchy:
        """
        JSON lines, or such a .gz: each an object with these keys. Names are strings or whole numbers.
        """

    @staticmethod
    def read(path: object) -> Hierarchy:
        """
        The reader that the name asks for: .jsonl and .ndjson are JSON lines, all else CSV; with .gz behind it, compressed.
        """

    @staticmethod
    def from_arrow(source: object, child: int | str = 'child', parent: int | str = 'parent', weight: int | str | None = None) -> Hierarchy:
        """
        Columns, by name or number, of any object with __arrow_c_stream__. Names are strings, integers or dictionaries of either.
        """

    @overload
    @staticmethod
    def from_parents(parents: Annotated[NDArray[numpy.int64], dict(shape=(None,), device='cpu', writable=False)]) -> Hierarchy:
        """Node i named by its number, parents[i] = -1 for a root."""

    @overload
    @staticmethod
    def from_parents(parents: Annotated[NDArray[numpy.int32], dict(shape=(None,), device='cpu', writable=False)]) -> Hierarchy: ...

    @overload
    @staticmethod
    def from_parents(parents: Sequence[int]) -> Hierarchy: ...

    @staticmethod
    def wordnet_nouns(path: object | None = None) -> Hierarchy:
        """WordNet's nouns from Princeton's data.noun."""

    @staticmethod
    def wordnet_mammals(path: object | None = None) -> Hierarchy:
        """The subtree below mammal.n.01."""

    def closure(self, cycles: str = 'raise') -> Hierarchy:
        """Every node to all its ancestors."""

    def split(self, test: float = 0.1, seed: int = 0, pairs: str = 'any') -> tuple[Hierarchy, Hierarchy]:
        """
        (train, test) for link prediction: closure edges, some of them held out whose ends keep another one in train. pairs: 'any', 'inferred' (none of the hierarchy's own edges) or 'inner' (no root or leaf at an end, as in Nickel & Kiela 2017). Train on train's edges as they are.
        """

    def subtree(self, root: str) -> Hierarchy:
        """A node and all that lies below it."""

    def roots(self) -> list[str]:
        """Names of nodes without parents."""

    def leaves(self) -> list[str]:
        """Names of nodes without children."""

    def depth(self) -> int:
        """Edges of the longest path from a root down."""

    def index(self, name: str) -> int:
        """Id of a name."""

    def write_tsv(self, path: object) -> None:
        """child, parent and, unless all are 1, weight, separated by tabs."""

    def report(self) -> dict:
        """Counts of what was read."""

    @property
    def nodes(self) -> list[str]:
        """Names by id."""

    @property
    def edges(self) -> list:
        """(child id, parent id, weight) triples."""

    def __len__(self) -> int: ...

    def __repr__(self) -> str: ...

class EmbeddingLevel:
    """Figures of one depth."""

    @property
    def mean_rank(self) -> float: ...

    @property
    def map(self) -> float: ...

    @property
    def nodes(self) -> int: ...

    @property
    def pairs(self) -> int: ...

class EmbeddingEvaluation:
    """Figures of reconstruction or link prediction."""

    @property
    def mean_rank(self) -> float:
        """Over ranked pairs."""

    @property
    def map(self) -> float:
        """Over nodes with one."""

    @property
    def nodes(self) -> int: ...

    @property
    def pairs(self) -> int: ...

    @property
    def sampled(self) -> bool:
        """Whether the nodes were drawn from more."""

    @property
    def per_depth(self) -> dict[int, EmbeddingLevel]:
        """The same by depth."""

    def __repr__(self) -> str: ...

class EmbeddingProgress:
    """One epoch's figures."""

    @property
    def epoch(self) -> int: ...

    @property
    def epochs(self) -> int: ...

    @property
    def loss(self) -> float: ...

    @property
    def pairs_per_second(self) -> float: ...

    @property
    def seconds_left(self) -> float: ...

class HierarchyEmbedding:
    """
    Points of the Poincaré ball for the nodes of a hierarchy (Nickel & Kiela 2017).
    """

    def __init__(self, dim: int = 10, manifold: str = 'poincare', curvature: float = -1.0, epochs: int | None = None, batch: int | None = None, lr: float | None = None, negatives: int | None = None, burn_in: int | None = None, burn_in_factor: float | None = None, sampling_power: float = 0.0, init: str = 'tree', init_radius: float | None = None, init_scale: float = 0.001, seed: int = 0, device: str = 'cpu', threads: int | None = None, dtype: str = 'float32', grouped: bool = True, closure: bool = True, mode: str = 'auto', objective: str = 'papers', loss_power: float | None = None, local_negatives: int | None = None, local_from: float | None = None) -> None: ...

    def fit(self, hierarchy: Hierarchy, progress: object | None = None) -> bool:
        """
        Trains from the start; progress(p) returning False stops. Returns whether it finished.
        """

    def resume(self, hierarchy: Hierarchy, progress: object | None = None) -> bool:
        """Goes on where a stopped or loaded training is."""

    @property
    def vectors(self) -> Tensor:
        """
        (nodes, dim) points, a copy; (nodes, dim + 1), time first, of a Lorentz embedding.
        """

    @property
    def names(self) -> list[str]:
        """Names by row."""

    @property
    def epochs_done(self) -> int:
        """Epochs trained."""

    @property
    def is_fitted(self) -> bool:
        """Whether there are vectors."""

    @property
    def options(self) -> dict:
        """What it was made with; None follows from the nodes."""

    @property
    def dim(self) -> int:
        """Dimensions."""

    @property
    def curvature(self) -> float:
        """Curvature of the ball."""

    def index(self, name: str) -> int:
        """Row of a name."""

    def distance(self, a: str, b: str) -> float:
        """Distance of two nodes."""

    def save(self, path: object) -> None:
        """safetensors with names, model and training state."""

    @staticmethod
    def load(path: object) -> HierarchyEmbedding:
        """Reads what save wrote."""

    def export_csv(self, path: object) -> None:
        """name, then coordinates, separated by commas."""

    def __len__(self) -> int: ...

    def __repr__(self) -> str: ...

    def evaluate(self, hierarchy: Hierarchy, sample: int | None = None, seed: int = 0) -> EmbeddingEvaluation:
        """
        Exact reconstruction: each ancestor of u ranked among all nodes not linked to u; of `sample` nodes drawn by seed, if given.
        """

    def evaluate_links(self, train: Hierarchy, test: Hierarchy) -> EmbeddingEvaluation:
        """
        Link prediction: each edge of test ranked among all nodes linked to u in neither.
        """

    def nearest(self, name: str, k: int = 10) -> list[tuple[str, float]]:
        """The k nearest other nodes with their distances."""

    def nearest_many(self, names: Sequence[str], k: int = 10) -> EmbeddingNeighbours:
        """The same for several nodes: row numbers and distances."""

    def ancestors_guess(self, name: str, k: int = 10) -> list[tuple[str, float]]:
        """
        The k nearest of the nodes whose norm is smaller, with their distances.
        """

    def score(self, child: str, parent: str, alpha: float = 1000.0) -> float:
        """
        -(1 + alpha (|parent| - |child|)) d(child, parent): the larger, the likelier that parent is above child.
        """

    def to_poincare(self) -> Tensor:
        """(nodes, dim) points of the ball, a copy."""

    def to_lorentz(self) -> Tensor:
        """(nodes, dim + 1) points of the hyperboloid, time first."""

    def to_module(self, name: str = 'poincare_embedding') -> PoincareEmbedding:
        """A PoincareEmbedding of the points; row i is names[i]."""

    def export_word2vec(self, path: object, space: str | None = None) -> None:
        """
        word2vec's text format; `space` stands for white space in names, an error without it.
        """

    def view(self, path: object, hierarchy: Hierarchy | None = None, title: str | None = None) -> None:
        """
        Writes the Poincaré disk as one HTML file: drag, zoom, search. The hierarchy gives edges.
        """

class EmbeddingNeighbours:
    """The nearest nodes of several, nearest first."""

    @property
    def indices(self) -> IndexTensor:
        """(queries, k): rows of the embedding."""

    @property
    def distances(self) -> Tensor:
        """(queries, k)."""
