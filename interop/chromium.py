"""Chromium without a window, driven by the DevTools protocol over a pipe."""

import base64
import json
import os
import select
import subprocess
import time

from bench import end
from harness import Failure


class Chromium:
    """One browser with one page; `events` is all that it told without being asked.

    It runs in the bench's kernel namespace, or where its caller runs if that is None.
    """

    def __init__(self, bench, patience=20):
        self.patience, self.number, self.buffer, self.events = patience, 0, b"", []
        there, self.commands = os.pipe()
        self.answers, back = os.pipe()
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
                   "--autoplay-policy=no-user-gesture-required", "--ignore-certificate-errors", "--no-proxy-server",
                   f"--user-data-dir={bench.folder}/chromium", "--window-size=1000,800", "--remote-debugging-pipe", "about:blank"]
        # The browser reads commands from descriptor 3 and writes answers to 4.
        shell = f'exec "$@" 3<&{there} 4>&{back}'
        environment = {**os.environ, "HOME": str(bench.folder), "LANG": "C.UTF-8"}
        # A descriptor of one digit only is understood by every shell.
        if max(there, back) > 9:
            raise Failure("too many descriptors are open")
        place = ["ip", "netns", "exec", bench.kernel_namespace] if bench.kernel_namespace else []
        self.process = subprocess.Popen([*place, "sh", "-c", shell, "sh", *command],
                                        pass_fds=(there, back), env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(there)
        os.close(back)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.do(f"{domain}.enable")

    def close(self):
        for descriptor in (self.commands, self.answers):
            os.close(descriptor)
        end(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        late = time.monotonic() + self.patience
        while True:
            answer = self.read(late)
            if answer is None:
                raise Failure(f"Chromium did not answer {method} within {self.patience} s")
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise Failure(f"{method}: {answer['error']}")
                return answer["result"]

    def do(self, method, **parameters):
        return self.ask(method, self.session, **parameters)

    def read(self, late):
        """The next message, kept if it is an event; None when none comes in time."""
        while b"\0" not in self.buffer:
            wait = late - time.monotonic()
            if wait <= 0 or not select.select([self.answers], [], [], wait)[0]:
                return None
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                raise Failure("Chromium ended")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message

    def evaluate(self, expression):
        """The value of a JavaScript expression, awaited."""
        result = self.do("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise Failure(f"in the page: {result['exceptionDetails'].get('exception', {}).get('description', result)}")
        return result["result"].get("value")

    def visit(self, url):
        """Loads a page and waits for its load event."""
        self.events.clear()
        result = self.do("Page.navigate", url=url)
        if "errorText" in result:
            raise Failure(f"{url}: {result['errorText']}")
        late = time.monotonic() + self.patience
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            if self.read(late) is None:
                raise Failure(f"{url} was not loaded within {self.patience} s")

    def complaints(self):
        """What stands in the console, failed loads included."""
        self.evaluate("new Promise(done => setTimeout(done, 100))")
        found = []
        for event in self.events:
            method, what = event["method"], event["params"]
            if method == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
                found.append(f"{what['entry']['text']} {what['entry'].get('url', '')}")
            elif method == "Runtime.exceptionThrown":
                found.append(str(what["exceptionDetails"].get("text")))
            elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning"):
                found.append(str(what["args"]))
            elif method == "Network.loadingFailed" and not what.get("canceled"):
                found.append(what["errorText"])
        return found

    def responses(self):
        """URL, status and protocol of every response."""
        return [(event["params"]["response"]["url"], event["params"]["response"]["status"], event["params"]["response"]["protocol"])
                for event in self.events if event["method"] == "Network.responseReceived"]

    def screenshot(self, path, scheme):
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        path.write_bytes(base64.b64decode(self.do("Page.captureScreenshot", format="png")["data"]))
        return path
