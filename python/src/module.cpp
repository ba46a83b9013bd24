#include "bind.hpp"

NB_MODULE(_core, m) {
  m.doc() = "SpiralTorch's native core. Import spiraltorch instead.";
  m.attr("__version__") = SPIRALTORCH_VERSION;
  bind_errors(m);
  bind_runtime(m);
  bind_device(m);
  bind_tensor(m);
  bind_complex_tensor(m);
  bind_geometry(m);
  bind_lorentz(m);
  bind_zspace(m);
  bind_trace(m);
  bind_rank(m);
  bind_nn(m);
  bind_optim(m);
  bind_sot(m);
  bind_dataset(m);
  bind_dataset_arrow(m);
  bind_dataset_files(m);
  bind_train(m);
  bind_session(m);
  bind_hierarchy(m);
  bind_embed(m);
}
