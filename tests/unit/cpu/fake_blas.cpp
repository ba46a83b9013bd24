// A stand-in for a BLAS library: writes a value that no product below has, so that the test sees
// who computed.
extern "C" __attribute__((visibility("default"))) void cblas_sgemm(int, int, int, int m, int n, int,
                                                                   float, const float*, int,
                                                                   const float*, int, float,
                                                                   float* c, int ldc) {
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) c[i * ldc + j] = 12345.0F;
  }
}
