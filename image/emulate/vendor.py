"""The board as a platform sees it: SenseNebula-M to set it up and to upgrade it, the console's list of captures to look at it."""

import base64
import json
import subprocess
import urllib.error
import urllib.request

from machine import Failed


class Platform:
    def __init__(self, board, password):
        self.board, self.password = board, password
        self.session = self.cookie = ""

    def post(self, address, body, headers):
        request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
        opener = urllib.request.build_opener(NoRedirect)
        try:
            return opener.open(request, timeout=120)
        except urllib.error.HTTPError as answer:
            if answer.code == 303:
                return answer
            raise

    def call(self, **request):
        address = f"http://127.0.0.1:{self.board.api}/api/json"
        with self.post(address, request, {"sessionid": self.session}) as answer:
            answer = json.load(answer)
        if answer["code"] != 0:
            raise Failed(f"{request['msg_id']} was refused with {answer['code']}: {answer['msg']}")
        return answer["data"]

    def log_in(self):
        """Sessions end with every restart."""
        self.session = self.call(msg_id="257", user_name="admin", user_pwd=self.password)
        if isinstance(self.session, dict):
            self.session = self.session["sessionid"]
        credentials = {"username": "admin", "password": self.password}
        answer = self.post(f"http://127.0.0.1:{self.board.console}/login", credentials, {})
        self.cookie = (answer.headers["Set-Cookie"] or "").partition(";")[0]

    def enrol(self, library, name, photo):
        picture = {"filename": photo.name, "data": base64.b64encode(photo.read_bytes()).decode()}
        self.call(msg_id="1051", lib_id=library, person_name=name, img=picture)

    def captures(self, after=0):
        """The captures after a position in the log, oldest first."""
        address = f"http://127.0.0.1:{self.board.console}/api/captures?after={after}"
        request = urllib.request.Request(address, headers={"Cookie": self.cookie})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def upgrade(self, bundle):
        """Uploads a bundle, which the board installs, and restarts; returns the code of the answer and its text."""
        answer = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", "900", "--header", f"sessionid: {self.session}",
             "--form", "msg_id=1292", "--form", f"file=@{bundle}", f"http://127.0.0.1:{self.board.api}/api/form"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if answer.returncode:
            raise Failed(f"the upgrade was not answered: {answer.stderr}")
        answer = json.loads(answer.stdout)
        return answer["code"], answer["msg"]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
