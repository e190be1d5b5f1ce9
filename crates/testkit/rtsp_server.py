#!/usr/bin/python3
"""A real RTSP server for tests: plays clips over and over at their own pace, as a camera would.

Prints "PORT <n>" once it listens on 127.0.0.1, serves /live, and ends when its standard input closes, so that it
never outlives the test that started it.
"""

import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402, F401

TRANSPORTS = {
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
    "any": GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="+", help="MP4 files of one codec, played one after the other")
    parser.add_argument("--codec", choices=["h264", "h265"], default="h264")
    parser.add_argument("--transport", choices=sorted(TRANSPORTS), default="any")
    parser.add_argument("--auth", choices=["basic", "digest"])
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--silent-after", type=float, help="seconds of video after which nothing more is sent")
    parser.add_argument("--end-after", type=float, help="seconds of video after which the stream ends")
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0: a free port")
    return parser.parse_args()


def access_units(clip, codec):
    """The clip's access units with their parameter sets inline."""
    pipeline = Gst.parse_launch(
        f"filesrc name=file ! qtdemux ! {codec}parse config-interval=-1"
        f" ! video/x-{codec},stream-format=byte-stream,alignment=au ! appsink name=sink sync=false"
    )
    pipeline.get_by_name("file").set_property("location", clip)
    sink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PLAYING)
    units = []
    while sample := sink.try_pull_sample(10 * Gst.SECOND):
        buffer = sample.get_buffer()
        units.append((buffer.extract_dup(0, buffer.get_size()), buffer.pts, buffer.dts, buffer.duration))
    pipeline.set_state(Gst.State.NULL)
    if not units:
        sys.exit(f"{clip} holds no {codec}")
    return units


def playlist(clips, codec):
    """All clips on one time line, and how long that is."""
    line, start = [], 0
    for clip in clips:
        units = access_units(clip, codec)
        first = min(pts for _, pts, _, _ in units)
        for data, pts, dts, duration in units:
            line.append((data, pts - first + start, dts - first + start, duration))
        start += max(pts + duration for _, pts, _, duration in units) - first
    return line, start


class Player:
    """Feeds one client's media with the play list, again and again."""

    def __init__(self, source, line, length, options):
        self.line, self.length, self.options = line, length, options
        self.played = 0
        source.connect("need-data", self.feed)

    def feed(self, source, _wanted):
        index, turn = self.played % len(self.line), self.played // len(self.line)
        data, pts, dts, duration = self.line[index]
        pts, dts = pts + turn * self.length, dts + turn * self.length
        if self.options.silent_after is not None and pts >= self.options.silent_after * Gst.SECOND:
            return
        if self.options.end_after is not None and pts >= self.options.end_after * Gst.SECOND:
            source.emit("end-of-stream")
            return
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts, buffer.dts, buffer.duration = pts, max(dts, 0), duration
        self.played += 1
        source.emit("push-buffer", buffer)


def factory(options):
    line, length = playlist(options.clips, options.codec)
    made = GstRtspServer.RTSPMediaFactory()
    made.set_launch(
        f"( appsrc name=source format=time caps=video/x-{options.codec},stream-format=byte-stream,alignment=au"
        f" ! {options.codec}parse ! rtp{options.codec}pay name=pay0 pt=96 config-interval=-1 )"
    )
    made.set_protocols(TRANSPORTS[options.transport])
    players = []

    def configure(_factory, media):
        source = media.get_element().get_by_name("source")
        players.append(Player(source, line, length, options))

    made.connect("media-configure", configure)
    return made


def protect(server, made, options):
    """Asks for the user name and password in the way wanted."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    if options.auth == "basic":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(options.user, options.password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    made.set_permissions(permissions)


def main():
    options = arguments()
    Gst.init(None)
    loop = GLib.MainLoop()
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    made = factory(options)
    if options.auth:
        protect(server, made, options)
    server.get_mount_points().add_factory("/live", made)
    if server.attach(None) == 0:
        sys.exit("cannot listen")
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_HUP, lambda *_: loop.quit())
    print(f"PORT {server.get_bound_port()}", flush=True)
    loop.run()


main()
