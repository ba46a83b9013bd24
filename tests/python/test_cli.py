"""The command `spiraltorch`, run as a user runs it."""

import json
import os
import pty
import signal
import subprocess
import sys

import pytest

from spiraltorch.embed import Hierarchy, HierarchyEmbedding

PROGRAM = [sys.executable, "-m", "spiraltorch"]
QUICK = ["--dim", "3", "--epochs", "6", "--burn-in", "1"]


def command(*args, **options):
    return subprocess.run(
        [*PROGRAM, *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **options,
    )


def started(*args, **options):
    return subprocess.Popen(
        [*PROGRAM, *map(str, args)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module")
def trained(root, tmp_path_factory):
    """Mammals after a few epochs, and what the command said."""
    out = tmp_path_factory.mktemp("cli") / "m.safetensors"
    done = command("embed", root / "data" / "wordnet_mammals.tsv", *QUICK, "--out", out, "--eval",
                   "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out, done


def test_embed_reports(trained, mammals):
    out, done = trained
    report = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert report["out"] == str(out) and report["nodes"] == 1182 and report["finished"]
    assert report["epochs"] == 7 and report["seconds"] > 0 and report["pairs_per_second"] > 0
    assert report["evaluation"]["pairs"] == 6542 and 0 < report["evaluation"]["map"] < 1
    given = {"dim": 3, "epochs": 6, "burn_in": 1, "lr": None, "seed": 0, "init": "tree"}
    assert given.items() <= report["options"].items()
    # One line an epoch, then the summary.
    lines = done.stderr.splitlines()
    assert len(lines) == 8 and all(
        line.startswith(f"epoch {i}/7  loss ") and "pairs/s" in line
        for i, line in enumerate(lines[:7], 1)
    )
    whole = HierarchyEmbedding(dim=3, epochs=6, burn_in=1)
    whole.fit(Hierarchy.from_csv(mammals))
    assert HierarchyEmbedding.load(out).vectors.data() == whole.vectors.data()


def test_every_option_arrives(tmp_path, mammals):
    options = {
        "dim": 4, "manifold": "poincare", "curvature": -0.5, "epochs": 1, "batch": 8, "lr": 0.02,
        "negatives": 5, "burn_in": 0, "burn_in_factor": 0.5, "sampling_power": 0.25,
        "init": "uniform", "init_radius": 0.2, "init_scale": 0.002, "seed": 2**63 + 5,
        "device": "cpu", "threads": 1, "dtype": "float32", "objective": "focused",
        "loss_power": 1.5, "local_negatives": 2, "local_from": 0.5, "mode": "hogwild",
    }  # fmt: skip
    flags = [x for name, v in options.items() for x in (f"--{name.replace('_', '-')}", v)]
    done = command("embed", mammals, *flags, "--no-grouped", "--no-closure", "--out",
                   tmp_path / "m", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    given = options | {"grouped": False, "closure": False}
    assert json.loads(done.stdout)["options"] == given
    # The command knows all options that the library has.
    assert set(HierarchyEmbedding().options) == set(given)


def test_eval(trained, tmp_path, mammals):
    out, done = trained
    again = command("eval", out, mammals, "--json")
    assert json.loads(again.stdout) == json.loads(done.stdout)["evaluation"]
    shown = command("eval", out, mammals, "--per-depth").stdout
    result = json.loads(again.stdout)
    assert f"MAP        {result['map']:.4f}" in shown
    assert len(shown.splitlines()) == 4 + len(result["per_depth"])


def test_eval_of_held_out_edges_and_of_a_sample(trained, tmp_path, mammals):
    out, _ = trained
    whole = Hierarchy.from_csv(mammals)
    pairs = [(whole.nodes[c], whole.nodes[p]) for c, p, _ in whole.edges]
    train, test = Hierarchy.from_edges(pairs[:1100]), Hierarchy.from_edges(pairs[1100:])
    train.write_tsv(tmp_path / "train.tsv")
    test.write_tsv(tmp_path / "test.tsv")
    done = command("eval", out, tmp_path / "train.tsv", "--links", tmp_path / "test.tsv", "--json")
    assert done.returncode == 0, done.stderr
    found, want = json.loads(done.stdout), HierarchyEmbedding.load(out).evaluate_links(train, test)
    assert (found["map"], found["pairs"]) == (want.map, want.pairs) and found["pairs"] == 82
    some = json.loads(command("eval", out, mammals, "--sample", "50", "--json").stdout)
    assert some["sampled"] and some["nodes"] == 50
    assert "(a sample)" in command("eval", out, mammals, "--sample", "50").stdout


def test_nearest(trained):
    out, _ = trained
    near = command("nearest", out, "dog.n.01", "-k", 4)
    assert len(near.stdout.splitlines()) == 4
    found = json.loads(command("nearest", out, "dog.n.01", "--json").stdout)
    want = HierarchyEmbedding.load(out).nearest("dog.n.01")
    assert [(f["name"], f["distance"]) for f in found] == want
    absent = command("nearest", out, "unicorn.n.01")
    assert absent.returncode == 1 and "unicorn.n.01" in absent.stderr


def test_view(trained, tmp_path, mammals):
    out, _ = trained
    page = tmp_path / "disk.html"
    done = command("view", out, "--out", page, "--edges", mammals, "--title", "Beasts", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts == {"out": str(page), "nodes": 1182, "dim": 3, "edges": 1182}
    assert "<title>Beasts</title>" in page.read_text(encoding="utf-8")
    assert command("view", out, "--out", page).stdout.startswith("1182 nodes, 0 edges")


def test_wordnet_and_devices(tmp_path, mammals):
    wordnet = command("wordnet", "--subtree", "mammal.n.01", "--out", tmp_path / "m.tsv")
    assert wordnet.returncode == 0
    assert (tmp_path / "m.tsv").read_bytes() == mammals.read_bytes()
    devices = json.loads(command("devices", "--json").stdout)
    assert devices["backends"][0] == "cpu" and devices["devices"][0]["lane_width"] >= 1
    assert "cpu" in command("devices").stdout


@pytest.mark.parametrize(
    "args, code, message",
    [
        (["eval", "absent", "{mammals}"], 1, "[load]"),
        (["embed", "absent.tsv", "--out", "x"], 1, "absent.tsv"),
        (["embed", "{mammals}", "--out", "absent/x"], 1, "can be written"),
        (["embed", "{mammals}", "--out", "."], 1, "can be written"),
        (["wordnet", "--out", "absent/x"], 1, "can be written"),
        (["eval", "{trained}", "{trained}"], 1, "got"),
        (["embed"], 2, "edges"),
        (["fly"], 2, "fly"),
        ([], 2, "command"),
        (["embed", "{mammals}"], 2, "--out"),
        (["embed", "{mammals}", "--out", "x", "--dim", "two"], 2, "two"),
        (["embed", "{mammals}", "--out", "x", "--dim", "0"], 2, "dim"),
        (["embed", "{mammals}", "--out", "x", "--manifold", "torus"], 2, "torus"),
        (["embed", "{mammals}", "--out", "x", "--seed", "-1"], 2, "-1"),
        (["embed", "{mammals}", "--out", "x", "--epochs", "9" * 20], 2, "64 bits"),
        (["embed", "{mammals}", "--out", "x", "--checkpoint-every", "0s"], 2, "0s"),
        (["embed", "{mammals}", "--out", "x", "--checkpoint-every", "often"], 2, "often"),
        (["eval", "x", "x", "--links", "x", "--sample", "5"], 2, "--links"),
        (["embed", "{mammals}", "--resume", "{trained}", "--lr", "1"], 2, "--lr"),
    ],
)
def test_errors_are_one_line(args, code, message, trained, mammals, tmp_path):
    args = [a.format(mammals=mammals, trained=trained[0]) for a in args]
    done = command(*args, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("spiraltorch: ") and done.stderr.count("\n") == 1
    assert message in done.stderr and done.stdout == ""
    assert not list(tmp_path.iterdir())


def test_checkpoints_and_resume_give_the_bits_of_one_run(trained, tmp_path, mammals):
    """Saved inside the training's callback; the training is killed, so that nothing else saves."""
    out = tmp_path / "part.safetensors"
    args = ["embed", mammals, "--dim", "3", "--epochs", "4000", "--burn-in", "1", "--out", out]
    process = started(*args, "--checkpoint-every", "2")
    while "epoch 5/" not in process.stderr.readline():
        pass
    process.kill()
    process.communicate(timeout=60)
    part = HierarchyEmbedding.load(out)
    reached = part.epochs_done
    assert reached >= 4 and reached % 2 == 0
    part.resume(Hierarchy.from_csv(mammals), lambda p: p.epoch < reached + 2)
    whole = HierarchyEmbedding(dim=3, epochs=4000, burn_in=1)
    whole.fit(Hierarchy.from_csv(mammals), lambda p: p.epoch < reached + 2)
    assert whole.vectors.data() == part.vectors.data()
    assert [p.name for p in tmp_path.iterdir()] == ["part.safetensors"]


def test_checkpoints_by_time(tmp_path, mammals):
    out = tmp_path / "m"
    process = started("embed", mammals, "--dim", "3", "--epochs", "4000", "--out", out,
                      "--checkpoint-every", "0.01s")  # fmt: skip
    while "epoch 60/" not in process.stderr.readline():
        pass
    process.kill()
    process.communicate(timeout=60)
    assert HierarchyEmbedding.load(out).epochs_done >= 1


def test_ctrl_c_leaves_a_checkpoint_to_resume(trained, tmp_path, mammals):
    out = tmp_path / "part.safetensors"
    process = started("embed", mammals, *QUICK[:2], "--epochs", "4000", "--out", out, "--json")
    assert "epoch 1/" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130 and f"--resume {out}" in stderr
    report = json.loads(stdout)
    part = HierarchyEmbedding.load(out)
    assert 0 < part.epochs_done < 4020
    assert not report["finished"] and report["epochs"] == part.epochs_done
    # The same interrupted in a library call, then finished by the command.
    stopped = HierarchyEmbedding(dim=3, epochs=6, burn_in=1)
    stopped.fit(Hierarchy.from_csv(mammals), lambda p: p.epoch < 3)
    stopped.save(out)
    done = command("embed", mammals, "--resume", out, "--threads", 1)
    assert done.returncode == 0 and done.stderr.startswith("epoch 4/7")
    whole = HierarchyEmbedding.load(trained[0])
    assert HierarchyEmbedding.load(out).vectors.data() == whole.vectors.data()
    moved = command("embed", mammals, "--resume", out, "--out", tmp_path / "copy", "--json")
    assert moved.returncode == 0 and json.loads(moved.stdout)["pairs_per_second"] is None
    assert (tmp_path / "copy").read_bytes() == out.read_bytes()


def test_a_terminal_gets_a_bar(tmp_path, mammals):
    ours, theirs = pty.openpty()
    args = ["embed", mammals, *QUICK, "--out", tmp_path / "m"]
    process = subprocess.Popen(
        [*PROGRAM, *map(str, args)], stderr=theirs, stdout=subprocess.DEVNULL
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # the terminal's other end is closed
        pass
    os.close(ours)
    assert process.wait(60) == 0
    assert b"\r[###" in shown and b"epoch 7/7" in shown and b"s left" in shown
    assert shown.count(b"\r[") == 7


def test_a_reader_that_goes_away_is_no_traceback(trained):
    out, _ = trained
    program = " ".join([*PROGRAM, "nearest", str(out), "dog.n.01", "-k", "1181"])
    done = subprocess.run(
        f"{program} | true", shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
