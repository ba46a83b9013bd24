#include "embed/gunzip.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

constexpr std::size_t kWindow = std::size_t{1} << 15;  // how far back a copy may reach
constexpr std::size_t kNew = std::size_t{1} << 18;     // most bytes of a piece
constexpr std::size_t kMostCopied = 258;

// Lengths of copies (symbols 257 to 285) and distances (0 to 29): least value, extra bits.
constexpr std::uint16_t kLengthBase[]{3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                      15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                      67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr std::uint8_t kLengthExtra[]{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                      2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr std::uint16_t kDistanceBase[]{
    1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
constexpr std::uint8_t kDistanceExtra[]{0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                        6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

// Eight tables: byte k of a word is advanced past the k bytes after it in one look-up.
using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;
constexpr CrcTables crc_tables() {
  CrcTables t{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1U) != 0 ? 0xEDB88320U ^ (c >> 1) : c >> 1;
    t[0][i] = c;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (std::size_t k = 1; k < 8; ++k) t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xFFU];
  }
  return t;
}
constexpr CrcTables kCrc = crc_tables();

std::uint32_t crc32(std::uint32_t crc, const char* bytes, std::size_t count) {
  const auto byte = [&](std::size_t i) {
    return std::uint32_t{static_cast<unsigned char>(bytes[i])};
  };
  crc = ~crc;
  for (; count >= 8; bytes += 8, count -= 8) {
    crc ^= byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
    crc = kCrc[7][crc & 0xFFU] ^ kCrc[6][(crc >> 8) & 0xFFU] ^ kCrc[5][(crc >> 16) & 0xFFU] ^
          kCrc[4][crc >> 24] ^ kCrc[3][byte(4)] ^ kCrc[2][byte(5)] ^ kCrc[1][byte(6)] ^
          kCrc[0][byte(7)];
  }
  for (std::size_t i = 0; i < count; ++i) crc = kCrc[0][(crc ^ byte(i)) & 0xFFU] ^ (crc >> 8);
  return ~crc;
}

std::uint32_t reversed(std::uint32_t code, int length) {
  std::uint32_t out = 0;
  for (int i = 0; i < length; ++i) out |= ((code >> i) & 1U) << (length - 1 - i);
  return out;
}

struct FixedCodes {
  HuffmanCode literals, distances;
  FixedCodes() {
    std::array<std::uint8_t, 288> lengths{};
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    }
    literals.build(lengths, false);
    std::fill_n(lengths.begin(), 32, std::uint8_t{5});
    distances.build(std::span(lengths).first(32), false);
  }
};

}  // namespace

bool HuffmanCode::build(std::span<const std::uint8_t> lengths, bool single) {
  count_.fill(0);
  fast_.fill({});
  for (const std::uint8_t length : lengths) ++count_[length];
  const int coded = static_cast<int>(lengths.size()) - count_[0];
  count_[0] = 0;
  int left = 1;  // codes of the length at hand that are free
  std::array<std::uint16_t, kLongest + 2> place{};
  std::array<std::uint32_t, kLongest + 2> code{};
  for (std::size_t n = 1; n <= kLongest; ++n) {
    left = 2 * left - count_[n];
    if (left < 0) return false;
    place[n + 1] = static_cast<std::uint16_t>(place[n] + count_[n]);
    code[n + 1] = (code[n] + count_[n]) << 1;
  }
  if (left > 0 && !(single && coded <= 1 && count_[1] == coded)) return false;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const int length = lengths[i];
    if (length == 0) continue;
    const auto n = static_cast<std::size_t>(length);
    symbols_[place[n]++] = static_cast<std::uint16_t>(i);
    const std::uint32_t bits = reversed(code[n]++, length);
    if (length > kFast) continue;
    for (std::size_t k = bits; k < fast_.size(); k += std::size_t{1} << length) {
      fast_[k] = {static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(length)};
    }
  }
  return true;
}

HuffmanCode::Symbol HuffmanCode::decode(std::uint64_t bits) const noexcept {
  const Symbol found = fast_[bits & (fast_.size() - 1)];
  if (found.length != 0) return found;
  std::uint32_t code = 0, first = 0, place = 0;  // of the codes of length n
  for (std::size_t n = 1; n <= kLongest; ++n, bits >>= 1) {
    code |= static_cast<std::uint32_t>(bits & 1U);
    if (code < first + count_[n]) {
      return {symbols_[place + code - first], static_cast<std::uint16_t>(n)};
    }
    place += count_[n];
    first = (first + count_[n]) << 1;
    code <<= 1;
  }
  return {};
}

Gunzip::Gunzip(const char* op, std::string name, std::unique_ptr<ByteSource> from)
    : op_(op), name_(std::move(name)), from_(std::move(from)), out_(kWindow + kNew) {}

void Gunzip::bad(std::string_view what) const {
  const std::uint64_t place = read_ - in_.size() - static_cast<std::uint64_t>(held_ / 8);
  throw FormatError(
      op_, text("file: got ", what, " at byte ", place, " of '", name_, "', expected gzip data"));
}

// As many whole bytes as fit; fewer only at the end of the file.
void Gunzip::refill() {
  while (held_ <= 56) {
    if (in_.empty()) {
      in_ = from_->next();
      read_ += in_.size();
      if (in_.empty()) return;
    }
    if (std::endian::native == std::endian::little && in_.size() >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, in_.data(), 8);
      hold_ |= word << held_;
      const int bytes = (63 - held_) / 8;
      in_.remove_prefix(static_cast<std::size_t>(bytes));
      held_ += 8 * bytes;
      hold_ &= ~std::uint64_t{0} >> (64 - held_);
      return;
    }
    hold_ |= std::uint64_t{static_cast<unsigned char>(in_[0])} << held_;
    in_.remove_prefix(1);
    held_ += 8;
  }
}

std::uint32_t Gunzip::take(int count) {
  if (held_ < count) refill();
  if (held_ < count) bad("its end, too early,");
  const auto out = static_cast<std::uint32_t>(hold_ & ((std::uint64_t{1} << count) - 1));
  hold_ >>= count;
  held_ -= count;
  return out;
}

void Gunzip::skip_to_byte() { (void)take(held_ % 8); }

void Gunzip::skip_text() {
  while (take(8) != 0) {
  }
}

void Gunzip::begin_member() {
  refill();
  while (!first_ && held_ > 0 && (hold_ & 0xFFU) == 0) {  // padding
    (void)take(8);
    if (held_ == 0) refill();
  }
  if (!first_ && held_ == 0) {
    state_ = State::end;
    return;
  }
  if (held_ >= 16 && (hold_ & 0xFFFFU) != 0x8B1FU) {
    bad(first_ ? "another beginning" : "more after the end of the compressed data");
  }
  (void)take(16);
  first_ = false;
  const std::uint32_t method = take(8);
  const std::uint32_t flags = take(8);
  if (method != 8 || flags > 31) bad("an unknown method or flag");
  (void)take(32);  // time
  (void)take(16);  // level, system
  if ((flags & 4U) != 0) {
    for (std::uint32_t left = take(16); left > 0; --left) (void)take(8);
  }
  if ((flags & 8U) != 0) skip_text();   // name
  if ((flags & 16U) != 0) skip_text();  // comment
  if ((flags & 2U) != 0) (void)take(16);
  member_ = 0;
  crc_ = 0;
  state_ = State::block;
}

void Gunzip::begin_block() {
  last_ = take(1) != 0;
  switch (take(2)) {
    case 0:
      skip_to_byte();
      stored_ = take(16);
      if (stored_ != (take(16) ^ 0xFFFFU)) bad("a damaged stored block");
      state_ = State::stored;
      return;
    case 1: {
      static const FixedCodes kFixed;
      literals_ = kFixed.literals;
      distances_ = kFixed.distances;
      break;
    }
    case 2:
      begin_dynamic();
      break;
    default:
      bad("an unknown kind of block");
  }
  state_ = State::coded;
}

void Gunzip::begin_dynamic() {
  constexpr std::size_t kOrder[]{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  const std::size_t literals = take(5) + 257;
  const std::size_t distances = take(5) + 1;
  const std::size_t used = take(4) + 4;
  if (literals > 286 || distances > 30) bad("too many codes");
  std::array<std::uint8_t, 19> of_lengths{};
  for (std::size_t i = 0; i < used; ++i) of_lengths[kOrder[i]] = static_cast<std::uint8_t>(take(3));
  if (!literals_.build(of_lengths, false)) bad("a damaged code");
  std::array<std::uint8_t, 286 + 30> lengths{};
  read_lengths(std::span(lengths).first(literals + distances));
  const auto all = std::span<const std::uint8_t>(lengths);
  if (lengths[256] == 0 || !literals_.build(all.first(literals), true) ||
      !distances_.build(all.subspan(literals, distances), true)) {
    bad("a damaged code");
  }
}

void Gunzip::read_lengths(std::span<std::uint8_t> lengths) {
  for (std::size_t i = 0; i < lengths.size();) {
    refill();
    const std::uint16_t value = symbol(literals_).value;
    if (value < 16) {
      lengths[i++] = static_cast<std::uint8_t>(value);
      continue;
    }
    if (value == 16 && i == 0) bad("a damaged code");
    const std::uint8_t repeated = value == 16 ? lengths[i - 1] : std::uint8_t{0};
    const std::size_t times = value == 16 ? 3 + take(2) : value == 17 ? 3 + take(3) : 11 + take(7);
    if (times > lengths.size() - i) bad("a damaged code");
    std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(i), times, repeated);
    i += times;
  }
}

HuffmanCode::Symbol Gunzip::symbol(const HuffmanCode& code) {
  const HuffmanCode::Symbol found = code.decode(hold_);
  if (found.length > held_ || (found.length == 0 && held_ < 15)) bad("its end, too early,");
  if (found.length == 0) bad("an unknown symbol");
  hold_ >>= found.length;
  held_ -= found.length;
  return found;
}

void Gunzip::copy_stored() {
  std::size_t room = std::min(stored_, out_.size() - end_);
  stored_ -= room;
  for (; room > 0 && held_ > 0; --room) out_[end_++] = static_cast<char>(take(8));
  while (room > 0) {
    if (in_.empty()) {
      in_ = from_->next();
      read_ += in_.size();
      if (in_.empty()) bad("its end, too early,");
    }
    const std::size_t part = std::min(room, in_.size());
    std::copy_n(in_.begin(), part, out_.begin() + static_cast<std::ptrdiff_t>(end_));
    in_.remove_prefix(part);
    end_ += part;
    room -= part;
  }
  if (stored_ == 0) state_ = last_ ? State::trailer : State::block;
}

void Gunzip::copy_back(std::size_t distance, std::size_t length) {
  if (distance > member_ + (end_ - checked_)) bad("a copy from before the beginning");
  char* to = out_.data() + end_;
  const char* from = to - distance;
  for (std::size_t i = 0; i < length; ++i) to[i] = from[i];  // they may overlap
  end_ += length;
}

void Gunzip::decode() {
  while (end_ + kMostCopied <= out_.size()) {
    if (held_ < 48) refill();  // the longest pair: 15 + 5 + 15 + 13 bits
    const std::uint16_t value = symbol(literals_).value;
    if (value < 256) {
      out_[end_++] = static_cast<char>(value);
      continue;
    }
    if (value == 256) {
      state_ = last_ ? State::trailer : State::block;
      return;
    }
    const std::size_t kind = value - 257U;
    if (kind >= std::size(kLengthBase)) bad("an unknown symbol");
    const std::size_t length = kLengthBase[kind] + take(kLengthExtra[kind]);
    const std::size_t far = symbol(distances_).value;
    if (far >= std::size(kDistanceBase)) bad("an unknown symbol");
    copy_back(kDistanceBase[far] + take(kDistanceExtra[far]), length);
  }
}

void Gunzip::end_member() {
  skip_to_byte();
  if (take(32) != crc_) bad("data that differ from their checksum");
  if (take(32) != (member_ & 0xFFFFFFFFU)) bad("data that differ from their length");
  state_ = State::member;
}

void Gunzip::step() {
  switch (state_) {
    case State::member:
      return begin_member();
    case State::block:
      return begin_block();
    case State::stored:
      return copy_stored();
    case State::coded:
      return decode();
    case State::trailer:
      return end_member();
    case State::end:
      return;
  }
}

std::string_view Gunzip::next() {
  const std::size_t kept = std::min(end_, kWindow);
  std::memmove(out_.data(), out_.data() + end_ - kept, kept);
  begin_ = end_ = checked_ = kept;
  while (state_ != State::end && end_ + kMostCopied <= out_.size()) {
    step();
    crc_ = crc32(crc_, out_.data() + checked_, end_ - checked_);
    member_ += end_ - checked_;
    checked_ = end_;
  }
  return {out_.data() + begin_, end_ - begin_};
}

}  // namespace spiraltorch
