// Runs the fuzz entry where libFuzzer is not at hand: changes of good inputs, the same for a seed.
// fuzz_readers [--seconds N | --runs N] [--seed N] [FILE...]; files are run as they are.
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "readers.hpp"

namespace {

std::string current;  // the input that runs

// A finding aborts: keep what led to it.
void keep_input(int signal) {
  std::ofstream("fuzz_finding", std::ios::binary) << current;
  std::cerr << "the input is in ./fuzz_finding\n";
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

bool run(std::string input) {
  current = std::move(input);
  return reads(current);
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : engine_(seed), good_(good_inputs()), tokens_(tokens()) {}

  std::string next() {
    std::string out = pick(good_);
    for (std::uint64_t i = 1 + below(8); i > 0; --i) change(out);
    return out;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  void change(std::string& s) {
    const std::size_t at = below(s.size() + 1);
    const std::size_t length = std::min<std::size_t>(below(16), s.size() - at);
    switch (below(8)) {
      case 0:
        if (at < s.size()) s[at] = static_cast<char>(s[at] ^ (1 << below(8)));
        return;
      case 1:
        if (at < s.size()) s[at] = static_cast<char>(engine_());
        return;
      case 2:
        s.erase(at, length);
        return;
      case 3:
        s.insert(at, pick(tokens_));
        return;
      case 4:  // copied to elsewhere
        s.insert(below(s.size() + 1), s.substr(at, length));
        return;
      case 5: {  // the end of another
        const std::string& other = pick(good_);
        s = s.substr(0, at) + other.substr(below(other.size()));
        return;
      }
      case 6:
        s.resize(at);
        return;
      default:  // many times the same
        if (s.size() < (1 << 16)) s.insert(at, std::string(below(3000), s[at < s.size() ? at : 0]));
    }
  }

  std::mt19937_64 engine_;
  std::vector<std::string> good_;
  std::vector<std::string> tokens_;
};

}  // namespace

int main(int count, char** arguments) {
  std::uint64_t seed = 1, runs = 0;
  double seconds = 10.0;
  bool files = false;
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL, SIGBUS}) {
    std::signal(signal, keep_input);
  }
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument.starts_with("--") && i + 1 < count) {
      const std::string value = arguments[++i];
      if (argument == "--seconds") seconds = std::stod(value);
      if (argument == "--runs") runs = std::stoull(value);
      if (argument == "--seed") seed = std::stoull(value);
      continue;
    }
    std::ifstream in(arguments[i], std::ios::binary);
    (void)run({std::istreambuf_iterator<char>(in), {}});
    files = true;
  }
  if (files) return 0;
  for (std::string& input : good_inputs()) {
    if (run(std::move(input))) continue;
    std::cerr << "a good input is not read\n";
    return 1;
  }
  Mutator mutator(seed);
  std::uint64_t done = 0, read = 0;
  const auto start = std::chrono::steady_clock::now();
  const auto spent = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  for (; runs > 0 ? done < runs : spent() < seconds; ++done) {
    read += run(mutator.next()) ? 1 : 0;
  }
  std::cout << done << " executions in " << spent() << " s, " << read << " read, no finding\n";
  return 0;
}
