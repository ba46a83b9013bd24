"""Headless Chromium over WebDriver (W3C), with the standard library alone.

Debian's packages chromium and chromium-driver are all it needs; used by tests/python/test_view.py
and tools/screenshot_view.py.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

LEFT = 0


def missing():
    """What is not installed, or None."""
    absent = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(absent)} not installed" if absent else None


class Browser:
    """One window of `size`, in a profile of its own. Use it as a context manager."""

    def __init__(self, size=(1000, 800), scale=1):
        self.home = tempfile.TemporaryDirectory()
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"HOME": self.home.name},
        )
        self.session = None
        try:
            self.url = f"http://127.0.0.1:{self._port()}"
            self.session = self._open(size, scale)
        except BaseException:
            self.close()
            raise

    def _port(self):
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found[1])
        raise RuntimeError("chromedriver: ended before it listened")

    def _open(self, size, scale):
        arguments = [
            "--headless=new",
            "--no-sandbox",  # which root and most containers cannot have; the pages are our own
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            f"--window-size={size[0]},{size[1]}",
            f"--force-device-scale-factor={scale}",
        ]
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": shutil.which("chromium"), "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        session = f"/session/{answer['sessionId']}"
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": scale, "mobile": False}
        self.session = session
        self.cdp("Emulation.setDeviceMetricsOverride", **metrics)
        return session

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None

    def _session(self, path, **body):
        return self._call("POST", self.session + path, body)

    def open(self, url):
        self._session("/url", url=str(url))

    def run(self, script, *arguments):
        """The value of a function body run in the page."""
        return self._session("/execute/sync", script=script, args=list(arguments))

    def wait(self, script, seconds=20):
        """Until the function body gives something true; returns that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.run(script)
            if found:
                return found
            time.sleep(0.03)
        raise TimeoutError(f"not true within {seconds} s: {script}")

    def cdp(self, command, **parameters):
        """A command of the DevTools protocol."""
        return self._session("/goog/cdp/execute", cmd=command, params=parameters)

    def log(self, kind):
        """What was logged since the last call: "browser" or "performance"."""
        return self._session("/se/log", type=kind)

    def type(self, text):
        """Keys for the focused element; special ones as WebDriver's code points."""
        keys = [{"type": t, "value": k} for k in text for t in ("keyDown", "keyUp")]
        self._session("/actions", actions=[{"type": "key", "id": "keys", "actions": keys}])

    def drag(self, *points):
        """The left button pressed at the first point and released at the last."""
        move = [{"type": "pointerMove", "x": x, "y": y, "duration": 20} for x, y in points]
        steps = [
            move[0],
            {"type": "pointerDown", "button": LEFT},
            *move[1:],
            {"type": "pointerUp", "button": LEFT},
        ]
        self._session("/actions", actions=[{"type": "pointer", "id": "mouse", "actions": steps}])

    def hover(self, x, y):
        move = {"type": "pointerMove", "x": x, "y": y, "duration": 20}
        self._session("/actions", actions=[{"type": "pointer", "id": "mouse", "actions": [move]}])

    def wheel(self, x, y, amount):
        scroll = {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": amount, "duration": 0}
        self._session("/actions", actions=[{"type": "wheel", "id": "wheel", "actions": [scroll]}])

    def screenshot(self):
        """The window as the bytes of a PNG."""
        return base64.b64decode(self._call("GET", self.session + "/screenshot"))

    def close(self):
        try:
            if self.session:
                self._call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(10)
            self.driver.stdout.close()
            self.home.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
