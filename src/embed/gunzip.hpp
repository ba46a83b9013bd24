#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "embed/byte_source.hpp"

namespace spiraltorch {

/// A canonical Huffman code of DEFLATE (RFC 1951, section 3.2.2).
class HuffmanCode {
 public:
  /// From the codes' lengths, 0 for a symbol without one. False for a set that is over-subscribed,
  /// or incomplete; one code of one bit alone is let pass if `single`.
  bool build(std::span<const std::uint8_t> lengths, bool single);

  struct Symbol {
    std::uint16_t value = 0;
    std::uint16_t length = 0;  ///< bits; 0: no code begins so
  };
  /// The symbol that `bits`, the first in the lowest, begin with.
  [[nodiscard]] Symbol decode(std::uint64_t bits) const noexcept;

 private:
  static constexpr int kFast = 10;  // bits that a look-up resolves
  static constexpr int kLongest = 15;
  std::array<Symbol, std::size_t{1} << kFast> fast_{};
  std::array<std::uint16_t, kLongest + 1> count_{};
  std::array<std::uint16_t, 288> symbols_{};  // by code
};

/// Decompresses gzip data (RFC 1951, RFC 1952): any number of members one after the other, then at
/// most zero bytes. FormatError for what is damaged, cut off or followed by something else, at the
/// latest where the stream ends; pieces given before are then not to be trusted.
class Gunzip final : public ByteSource {
 public:
  Gunzip(const char* op, std::string name, std::unique_ptr<ByteSource> from);
  std::string_view next() override;

 private:
  enum class State : std::uint8_t { member, block, stored, coded, trailer, end };

  [[noreturn]] void bad(std::string_view what) const;
  void refill();
  std::uint32_t take(int count);
  void skip_to_byte();
  void skip_text();
  void begin_member();
  void begin_block();
  void begin_dynamic();
  void read_lengths(std::span<std::uint8_t> lengths);
  void copy_stored();
  void decode();
  HuffmanCode::Symbol symbol(const HuffmanCode& code);
  void copy_back(std::size_t distance, std::size_t length);
  void end_member();
  void step();

  const char* op_;
  std::string name_;
  std::unique_ptr<ByteSource> from_;
  std::string_view in_;     // not yet in hold_
  std::uint64_t read_ = 0;  // bytes that left the source
  std::uint64_t hold_ = 0;  // bits, the next in the lowest
  int held_ = 0;            // of them
  std::vector<char> out_;   // up to 32 KiB given before, then what is new
  std::size_t begin_ = 0;   // of what is new
  std::size_t end_ = 0;
  std::uint64_t member_ = 0;  // bytes that the member gave
  std::uint32_t crc_ = 0;
  std::size_t checked_ = 0;  // end of what is in member_ and crc_
  std::size_t stored_ = 0;   // bytes to come of a stored block
  HuffmanCode literals_, distances_;
  State state_ = State::member;
  bool last_ = false;  // block of its member
  bool first_ = true;  // member of the file
};

}  // namespace spiraltorch
