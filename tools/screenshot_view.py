#!/usr/bin/env python3
"""A picture of a view, from headless Chromium.

    spiraltorch embed data/wordnet_mammals.tsv --dim 2 --out mammals.safetensors
    spiraltorch view mammals.safetensors --edges data/wordnet_mammals.tsv --out mammals.html \\
      --title "WordNet's mammals"
    python tools/screenshot_view.py mammals.html disk.png --pixels 1.25 --size 1120 820
    pngquant 96 --speed 1 -o docs/images/mammals-disk.png disk.png
    optipng -o5 docs/images/mammals-disk.png

Needs Debian's chromium and chromium-driver; pngquant and optipng make the picture small.
"""

import argparse
import pathlib

import webdriver


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("page", type=pathlib.Path)
    p.add_argument("image", type=pathlib.Path)
    p.add_argument("--size", type=int, nargs=2, default=(1200, 860), metavar=("WIDTH", "HEIGHT"))
    p.add_argument("--pixels", type=float, default=1.0, help="of the screen, a unit of the page")
    p.add_argument("--scheme", choices=["light", "dark"], default="light")
    p.add_argument("--select", help="fly to this node first")
    p.add_argument("--scale", type=float, help="part of their length that distances are shown at")
    args = p.parse_args()
    with webdriver.Browser(args.size, args.pixels) as browser:
        feature = [{"name": "prefers-color-scheme", "value": args.scheme}]
        browser.cdp("Emulation.setEmulatedMedia", features=feature)
        browser.open(args.page.resolve().as_uri())
        rest = "const s = window.spiraltorchView?.state(); return s && !s.flying && !s.drawing"
        browser.wait(rest)
        if args.scale:
            browser.run("window.spiraltorchView.setScale(arguments[0])", args.scale)
        if args.select:
            browser.run("window.spiraltorchView.select(arguments[0])", args.select)
        browser.wait(rest)
        args.image.parent.mkdir(parents=True, exist_ok=True)
        args.image.write_bytes(browser.screenshot())


if __name__ == "__main__":
    main()
