#!/usr/bin/env python3
"""Play the life of a box on an emulated board: first start, recognition, an upgrade that fails and falls back, one that stays.

usage: image/emulate/run.py FOLDER PHOTOS CAMERA PORT      (what emulate.sh has made; CAMERA: address of the film; PORT: for orders)
"""

import json
import sys
import time
from pathlib import Path

from machine import Board, Failed
from vendor import Platform

# Seconds. An emulated board is slow, and this machine may be busy.
BOOT, RECOGNITION, COMMAND = 900, 600, 300
PEOPLE = {"Barack Obama": "Barack_Obama/obama3.jpg", "Joe Biden": "Joe_Biden/biden.jpg"}


class Trial:
    def __init__(self, folder, photos, camera, port):
        self.folder, self.photos, self.camera = folder, photos, camera
        self.board = Board(folder, folder / "disk.img", port)
        self.platform = Platform(self.board, (folder / "password").read_text().strip())
        self.table = []
        self.seen = 0

    def timed(self, what, act):
        print(f"emulate: {what}", flush=True)
        start = time.monotonic()
        found = act()
        seconds = time.monotonic() - start
        self.table.append((what, seconds))
        print(f"emulate: {what}: {seconds:.0f} s", flush=True)
        return found

    # ---- what is looked at ------------------------------------------------------------------------

    def slot(self):
        """The start (another one after every restart) and the slot that runs; nothing while the board restarts."""
        order = "cat /proc/sys/kernel/random/boot_id; sed 's/.*rauc.slot=\\(.\\).*/\\1/' /proc/cmdline"
        try:
            return self.board.must(order, 30).split()
        except Failed:
            return None, None

    def await_health(self):
        self.board.until("waiting for /healthz", BOOT, self.board.healthy)

    def recognised(self):
        """The people of the film who were recognised since the last call that found all of them."""
        captures = self.platform.captures(self.seen)
        names = {capture["name"] for capture in captures} & set(PEOPLE)
        if names != set(PEOPLE):
            return None
        self.seen = max(capture["seq"] for capture in captures)
        return names

    def skip_captures(self):
        """What is in the log already counts no more."""
        while captures := self.platform.captures(self.seen):
            self.seen = max(capture["seq"] for capture in captures)

    def await_recognition(self):
        self.board.until("waiting for the people of the film", RECOGNITION, self.recognised)

    def rauc(self):
        return json.loads(self.board.must("rauc status --detailed --output-format=json"))

    def environment(self):
        listed = self.board.must("grub-editenv /boot/efi/grub/grubenv list").splitlines()
        return dict(line.split("=", 1) for line in listed if "=" in line)

    def await_kept(self, slot):
        """Until the slot is marked good: GRUB will take it again."""
        self.board.until(f"waiting for slot {slot} to be kept", BOOT, lambda: self.environment().get(f"{slot}_TRY") == "0")

    # ---- steps ------------------------------------------------------------------------------------

    def first_start(self):
        self.board.start()
        self.timed("start to /healthz", self.await_health)
        boot = self.await_slot("A", set())
        check(self.board.run("test -e /boot/efi/setup/polyface.toml")[0] != 0, "the settings are still on the boot partition")
        check(self.board.run("touch /usr/probe")[0] != 0, "the slot can be written")
        self.board.until("waiting for the data partition to grow", COMMAND, self.has_grown)
        return boot

    def has_grown(self):
        return int(self.board.must("findmnt --noheadings --bytes --output SIZE /data")) > 900 << 20

    def set_up(self):
        self.platform.log_in()
        library = self.platform.call(msg_id="1025", lib_name="staff", lib_type=2)["lib_id"]
        for name, photo in PEOPLE.items():
            self.platform.enrol(library, name, self.photos / photo)
        self.platform.call(msg_id="513", protocol="rtsp", camera_mode="VIDEO", camera_name="gate", url=self.camera,
                           lib_ids=str(library), threshold=80, snap_mode=3)  # fmt: skip

    def install(self, name):
        """Sends a bundle to the box as a platform does. It answers when the bundle is installed, and restarts."""
        self.platform.log_in()
        code, message = self.platform.upgrade(self.folder / name)
        check(code == 0, f"{name} was not installed: {code}, {message}")

    def refuse(self, name):
        self.platform.log_in()
        code, message = self.platform.upgrade(self.folder / name)
        check(code != 0 and "signed" in message, f"a bundle of another signer was answered with {code}, {message}")

    def await_slot(self, wanted, former):
        """Until a slot runs that is not the former start."""

        def runs():
            boot, slot = self.slot()
            return boot if slot == wanted and boot not in former else None

        return self.board.until(f"waiting for slot {wanted}", BOOT, runs)

    def came_back(self, former):
        """The start in slot A, once there is one; until then the sick version runs, and must not be healthy."""
        healthy = self.board.healthy()
        boot, slot = self.slot()
        check(not (healthy and slot == "B"), "the sick version is healthy")
        return boot if slot == "A" and boot not in former else None

    def sick_upgrade(self, first):
        self.timed("installation of the sick version", lambda: self.install("sick.raucb"))
        before = time.monotonic()
        sick = self.timed("restart into the sick version", lambda: self.await_slot("B", {first}))
        again = self.board.until("waiting to go back", BOOT, lambda: self.came_back({first, sick}))
        self.await_health()
        self.table.append(("restart, sick version, back in the former one and healthy", time.monotonic() - before))
        found = self.environment()
        check(found["B_TRY"] == "1" or found["B_OK"] == "0", f"GRUB would try the sick version again: {found}")
        # Until the former version has taken note of that and has proved itself, no other upgrade is taken.
        self.await_kept("A")
        return again

    def good_upgrade(self, former):
        self.timed("refusal of a bundle of another signer", lambda: self.refuse("foreign.raucb"))
        self.timed("installation of the good version", lambda: self.install("good.raucb"))
        self.timed("restart into the good version", lambda: self.await_slot("B", former))
        self.timed("its /healthz", self.await_health)
        self.timed("until it is kept", lambda: self.await_kept("B"))
        self.platform.log_in()
        self.skip_captures()
        self.timed("recognition by the good version", self.await_recognition)

    def power_off(self):
        self.board.run("systemctl --no-block poweroff", COMMAND)
        self.board.await_end(COMMAND)

    def play(self):
        begin = time.monotonic()
        first = self.first_start()
        self.timed("setting up", self.set_up)
        self.timed("camera added to both people recognised", self.await_recognition)
        self.table.append(("start to recognition", time.monotonic() - begin))
        self.timed("until slot A is kept", lambda: self.await_kept("A"))
        again = self.sick_upgrade(first)
        self.good_upgrade({first, again})
        status = self.rauc()
        self.timed("power off", self.power_off)
        self.table.append(("whole", time.monotonic() - begin))
        (self.folder / "status.json").write_text(json.dumps(status, indent=1))
        check(status["boot_primary"] == "rootfs.1", f"the primary slot is {status['boot_primary']}")


def check(holds, complaint):
    if not holds:
        raise Failed(complaint)


def show(table):
    for what, seconds in table:
        print(f"| {what} | {seconds:.0f} s |")


def main():
    folder, photos, camera, port = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    trial = Trial(folder, photos, camera, port)
    try:
        trial.play()
    except (Failed, OSError, KeyError) as failure:
        print(f"emulate: {failure!r}", file=sys.stderr)
        if trial.board.process and trial.board.process.poll() is None:
            try:
                print(trial.board.run("journalctl --no-pager --lines=60; rauc status", 60)[1], file=sys.stderr)
            except Failed:
                pass
        return 1
    finally:
        trial.board.stop()
        show(trial.table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
