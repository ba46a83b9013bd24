#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// libFuzzer's entry.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// Whether an input gives a hierarchy. Its first byte chooses the reader. Aborts on a finding.
bool reads(std::string_view input);

/// Good inputs of every reader, and pieces that matter to some.
[[nodiscard]] std::vector<std::string> good_inputs();
[[nodiscard]] std::vector<std::string> tokens();
