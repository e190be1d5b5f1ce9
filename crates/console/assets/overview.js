// Asks for news and shows them. Whatever comes from outside, names above all, becomes text and never markup.
"use strict";

const SHOWN = 24;
const TONES = {
  online: "good", connecting: "fair", offline: "bad",
  known: "good", stranger: "fair", blocked: "bad", "not allowed now": "bad", spoof: "bad",
};

const byId = (id) => document.getElementById(id);
let newest = 0;

function setPill(pill, text, tone) {
  pill.textContent = text;
  pill.className = tone ? `pill ${tone}` : "pill";
}

function setText(element, text) {
  element.textContent = text;
  element.hidden = text === "";
}

function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (answer.status === 401) {
    location.assign("/login");
  }
  if (!answer.ok) {
    throw new Error(`the device answers ${answer.status}`);
  }
  return answer.json();
}

function showStatus(status) {
  document.title = status.name;
  byId("device").textContent = status.name;
  byId("time").textContent = status.time;
  byId("version").textContent = status.version;
  byId("serial").textContent = status.serial;
  const well = status.problems.length === 0;
  if (well && status.attention.length > 0) {
    setPill(byId("health"), "needs attention", "fair");
  } else {
    setPill(byId("health"), well ? "healthy" : "in trouble", well ? "good" : "bad");
  }
  setText(byId("problems"), status.problems.join("\n"));
  setText(byId("attention"), status.attention.join("\n"));
  const online = status.cameras.filter((camera) => camera.status === "online").length;
  const counters = { ...status, online: `${online} / ${status.cameras.length}` };
  for (const counter of document.querySelectorAll("[data-counter]")) {
    counter.textContent = counters[counter.dataset.counter].toLocaleString();
  }
  byId("no-cameras").hidden = status.cameras.length > 0;
  byId("cameras").replaceChildren(...status.cameras.map(cameraCard));
}

function cameraCard(camera) {
  const card = fromTemplate("camera");
  const part = (name) => card.querySelector(`[data-${name}]`);
  part("name").textContent = `${camera.id} · ${camera.name}`;
  setPill(part("status"), camera.status, TONES[camera.status]);
  setText(part("position"), camera.position);
  setText(part("reason"), camera.reason);
  const figures = ["frames", "frames_analysed", "frames_still", "frames_coarse", "frames_skipped", "faces", "records"];
  for (const figure of [...figures, "reconnects"]) {
    part(figure).textContent = camera[figure].toLocaleString();
  }
  return card;
}

function captureCard(capture) {
  const card = fromTemplate("capture");
  const part = (name) => card.querySelector(`[data-${name}]`);
  card.dataset.seq = capture.seq;
  part("scene").href = capture.scene;
  part("crop").src = capture.crop;
  part("name").textContent = capture.name || "stranger";
  setPill(part("verdict"), capture.verdict, TONES[capture.verdict]);
  setText(part("likeness"), likeness(capture));
  part("camera").textContent = capture.camera;
  part("time").textContent = capture.time;
  if (capture.photo) {
    part("photo").src = capture.photo;
    part("photo").hidden = false;
  }
  return card;
}

function likeness(capture) {
  if (capture.similarity === null) {
    return "";
  }
  return capture.library ? `${capture.similarity} % · ${capture.library}` : `closest ${capture.similarity} %`;
}

function showCaptures(captures) {
  const list = byId("captures");
  for (const capture of captures) {
    list.prepend(captureCard(capture));
    newest = capture.seq;
  }
  while (list.children.length > SHOWN) {
    list.lastElementChild.remove();
  }
  byId("no-captures").hidden = list.children.length > 0;
}

async function refresh() {
  try {
    const status = await ask("/api/status");
    if (status.records < newest) {
      // The device was set up anew.
      newest = 0;
      byId("captures").replaceChildren();
    }
    showStatus(status);
    showCaptures(await ask(`/api/captures?after=${newest}`));
  } catch (error) {
    setPill(byId("health"), "no connection", "bad");
    setText(byId("problems"), `No news from the device: ${error.message}`);
  }
  setTimeout(refresh, document.hidden ? 10000 : 1500);
}

refresh();
