"""An emulated ARM64 board, and what it is asked to run.

The board fetches commands from this machine: emulate.sh has put a service for that onto the data partition, so that the slots
are tested as they are given away.
"""

import queue
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FIRMWARE = "/usr/share/AAVMF"


class Failed(Exception):
    """The board did not do what it must."""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Orders:
    """Commands for the board and their outcomes, over HTTP: GET /next, POST /done."""

    def __init__(self, port):
        self.waiting = queue.Queue()
        self.outcomes = queue.Queue()
        orders = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/next":
                    self.answer(orders.next().encode())
                else:
                    self.send_error(404)

            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode(errors="replace")
                self.answer(b"")
                orders.outcomes.put(text)

            def answer(self, body):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        """The next command; empty when there is none for a while, so that a board that went away is not answered for long."""
        try:
            return self.waiting.get(timeout=2)
        except queue.Empty:
            return ""

    def forget(self):
        """Takes back what no board has fetched."""
        while not self.waiting.empty():
            self.waiting.get()


class Board:
    """QEMU with the disk image, its console in a file."""

    def __init__(self, folder, disk, orders_port):
        self.folder = folder
        self.orders = Orders(orders_port)
        self.console, self.api = free_port(), free_port()
        self.disk = disk
        self.process = None
        self.number = 0

    def start(self):
        variables = self.folder / "variables.fd"
        shutil.copy(f"{FIRMWARE}/AAVMF_VARS.fd", variables)
        forwards = f"hostfwd=tcp:127.0.0.1:{self.console}-:8000,hostfwd=tcp:127.0.0.1:{self.api}-:8080"
        self.process = subprocess.Popen([
            "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57", "-smp", "2", "-m", "2048",
            "-display", "none", "-monitor", "none", "-serial", f"file:{self.folder / 'console.log'}",
            "-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/AAVMF_CODE.fd",
            "-drive", f"if=pflash,format=raw,file={variables}",
            "-drive", f"if=none,id=disk,format=raw,file={self.disk}", "-device", "virtio-blk-pci,drive=disk",
            "-netdev", f"user,id=net,{forwards}", "-device", "virtio-net-pci,netdev=net,romfile=",
            "-device", "virtio-rng-pci",
        ])  # fmt: skip

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)

    def await_end(self, patience):
        try:
            self.process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            raise Failed(f"the board is not off after {patience} s") from None

    def until(self, what, patience, test):
        """Waits for `test` to return something true, and returns it."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failed(f"{what}: the board ended")
            found = test()
            if found:
                return found
            time.sleep(1)
        raise Failed(f"{what}: timed out after {patience} s")

    def healthy(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.console}/healthz", timeout=10) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def run(self, command, patience=300):
        """Runs a command of the shell as root; returns its exit status and output."""
        self.number += 1
        self.orders.waiting.put(f"({command}\n)\nstatus=$?; echo; echo {self.number} $status")
        end = time.monotonic() + patience
        while True:
            try:
                text = self.orders.outcomes.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                self.orders.forget()
                raise Failed(f"the board did not run in {patience} s: {command}") from None
            output, _, last = text.rstrip("\n").rpartition("\n")
            number, _, status = last.partition(" ")
            # Others are of commands that were given up.
            if number == str(self.number):
                return int(status), output.strip("\n")

    def must(self, command, patience=300):
        status, output = self.run(command, patience)
        if status:
            raise Failed(f"`{command}` failed on the board: {output}")
        return output
