#include <cstdlib>
#include <filesystem>

#include "check_error.hpp"
#include "spiraltorch/embed/hierarchy.hpp"
#include "temporary.hpp"

using namespace spiraltorch;

// The package wordnet-base is among the tests' packages, so its absence is a failure, not a skip.
TEST_CASE("WordNet's nouns have the published counts") {
  const Hierarchy nouns = Hierarchy::wordnet_nouns();
  CHECK(nouns.len() == 82115);
  CHECK(nouns.edges().size() == 84427);
  CHECK(nouns.roots() == std::vector<std::string>{"entity.n.01"});
  CHECK(nouns.depth() == 19);
  const Hierarchy closure = nouns.closure();
  CHECK(closure.edges().size() == 743241);
  // WordNet's own example: a dog is a canine and a domestic animal.
  const auto dog = nouns.index("dog.n.01");
  std::vector<std::string> parents;
  for (const Edge& e : nouns.edges()) {
    if (e.child == dog) parents.push_back(nouns.nodes()[std::size_t(e.parent)]);
  }
  CHECK(parents == std::vector<std::string>{"canine.n.02", "domestic_animal.n.01"});
}

TEST_CASE("the mammals, and the edge list that the repository ships") {
  const Hierarchy mammals = Hierarchy::wordnet_mammals();
  CHECK(mammals.len() == 1182);
  CHECK(mammals.closure().edges().size() == 6542);
  const TemporaryFolder folder;
  mammals.write_tsv(folder.file("mammals.tsv"));
  CHECK(read_text(folder.file("mammals.tsv")) ==
        read_text(std::string(SPIRALTORCH_SOURCE_DIR) + "/data/wordnet_mammals.tsv"));
}

TEST_CASE("databases that are absent or malformed") {
  const TemporaryFolder folder;
  check_error(Errc::io, [&] { (void)Hierarchy::wordnet_nouns(folder.file("absent")); });
  folder.write("index.noun", "entity n 1 1 ~ 1 1 00001740\n");
  const auto with = [&](const std::string& data) {
    folder.write("data.noun", data);
    return [&] { (void)Hierarchy::wordnet_nouns(folder.file("")); };
  };
  const std::string root = "00001740 03 n 01 entity 0 000 | all\n";
  check_error(Errc::io, with("00001740 03 n xx entity\n"));
  check_error(Errc::io, with("00001741 03 n 01 entity 0 001 @ 00001740 n 0000 | x\n"));
  check_error(Errc::io, with("00001740 03 n 01 entity 0 001 @ 00009999 n 0000 | x\n"));
  check_error(Errc::empty_input, with("  1 licence\n" + root));
  folder.write("index.noun", "entity n 3 1 ~ 1 1 00001740\n");
  check_error(Errc::io, with(root));
}
