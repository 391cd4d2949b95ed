// The page of the server: asks as any client of OpenAI's API does, by a stream of server-sent events.
import { Gallery } from "/page/gallery.js";
import { events } from "/page/events.js";

const FIELDS = ["prompt", "negative_prompt", "width", "height", "num_inference_steps", "guidance_scale", "seed", "n"];
const NUMBERS = new Set(FIELDS.slice(2));
const PREVIEWS = 3; // the most that OpenAI's clients can ask for

const at = (id) => document.getElementById(id);
const empty = at("empty"); // is taken from the frame by the first picture
const gallery = new Gallery(at("gallery"), at("card"), { again: fill, show: enlarge });
let models = [];
let running = null;

/** Asks what there is to draw with, and for a key where one is needed. */
async function ask() {
  const answer = await fetch("/v1/models", { headers: headers() });
  at("key-row").hidden = answer.status !== 401 && !key();
  if (answer.status === 401) {
    at("strategy").textContent = "This server wants a key.";
    at("key").focus();
    return;
  }
  models = (await answer.json()).data;
  at("model").replaceChildren(...models.map((model) => new Option(model.id)));
  at("model-row").hidden = models.length < 2;
  tell();
}

/** Says what the chosen model runs on, and what it does by itself. */
function tell() {
  const model = models.find((one) => one.id === at("model").value) ?? {};
  at("strategy").textContent = [model.id, model.strategy].filter(Boolean).join(" on ");
  for (const field of ["width", "height", "num_inference_steps", "guidance_scale"]) {
    at(field).placeholder = model.defaults?.[field] ?? "auto";
  }
}

function key() {
  return at("key").value.trim();
}

function headers() {
  return key() ? { Authorization: `Bearer ${key()}` } : {};
}

/** The form as the body of a request, with a seed in any case: so it can be told, and used again. */
function request() {
  const asked = { model: at("model").value, stream: true, partial_images: PREVIEWS };
  for (const field of FIELDS) {
    const value = at(field).value.trim();
    if (value !== "") {
      const exact = field === "seed" && /^-?\d+$/.test(value);
      asked[field] = NUMBERS.has(field) && !exact ? Number(value) : value;
    }
  }
  asked.seed ??= crypto.getRandomValues(new Uint32Array(1))[0];
  return asked;
}

/** JSON, with a seed of any size as a number: JavaScript's own have 53 bits. */
function written(asked) {
  return JSON.stringify(asked).replace(/"seed":"(-?\d+)"/, '"seed":$1');
}

async function draw() {
  if (running) {
    return;
  }
  running = new AbortController();
  busy(true);
  const asked = request();
  try {
    const answer = await fetch("/v1/images/generations", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers() },
      body: written(asked),
      signal: running.signal,
    });
    if (!answer.ok) {
      throw new Error((await answer.json()).error.message);
    }
    say("Waiting for its turn …");
    await follow(answer, asked);
  } catch (failure) {
    const cancelled = failure.name === "AbortError";
    say(cancelled ? "Cancelled." : "");
    at("error").textContent = cancelled ? "" : failure.message;
    at("frame").replaceChildren(empty);
  } finally {
    running = null;
    busy(false);
  }
}

/** Shows previews and progress until all pictures are there. */
async function follow(answer, asked) {
  const began = Date.now();
  const finished = [];
  for await (const event of events(answer.body)) {
    if (event.comment) {
      progressed(event.comment);
    } else if (event.data.type === "error") {
      throw new Error(event.data.error.message);
    } else if (event.data.type.endsWith("partial_image")) {
      show([picture(event.data.b64_json, "An unfinished picture", "unfinished")]);
    } else if (event.data.type.endsWith("completed")) {
      finished.push(event.data.b64_json);
      show(finished.map((text) => picture(text, asked.prompt)));
      await gallery.add(blob(event.data.b64_json), { ...asked, size: event.data.size });
    }
  }
  if (finished.length === 0) {
    throw new Error("The connection ended before the picture was there.");
  }
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  say(`${finished.length === 1 ? "Drawn" : `${finished.length} pictures drawn`} in ${seconds} s, seed ${asked.seed}.`);
}

/** A comment of the stream: "denoising: 3 of 20 steps". */
function progressed(comment) {
  const counted = /(\d+) of (\d+)/.exec(comment);
  if (counted) {
    at("progress").value = counted[1] / counted[2];
    at("progress").setAttribute("aria-valuetext", comment);
    if (counted[1] === "1") {
      say("Drawing …"); // read aloud once; the bar tells the rest
    }
  }
}

function show(pictures) {
  at("frame").querySelectorAll("img").forEach((old) => URL.revokeObjectURL(old.src));
  at("frame").replaceChildren(...pictures);
}

function picture(base64, alt, kind = "") {
  const image = new Image();
  image.src = URL.createObjectURL(blob(base64));
  image.alt = alt;
  image.className = kind;
  return image;
}

function blob(base64) {
  return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: "image/png" });
}

function busy(is) {
  at("draw").disabled = is;
  at("cancel").disabled = !is;
  at("progress").hidden = !is;
  at("progress").value = 0;
  at("stage").ariaBusy = is;
  if (is) {
    at("error").textContent = "";
    say("Asking …");
  }
}

function say(text) {
  at("status").textContent = text;
}

/** Puts a picture's settings back into the form. */
function fill(settings) {
  for (const field of FIELDS) {
    at(field).value = settings[field] ?? "";
  }
  at("prompt").focus();
}

function enlarge(url, settings, facts) {
  at("large-picture").src = url;
  at("large-picture").alt = settings.prompt;
  at("large-facts").textContent = facts;
  at("large").showModal();
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  draw();
});
at("cancel").addEventListener("click", () => running?.abort());
at("model").addEventListener("change", tell);
at("key").addEventListener("change", () => ask()); // kept nowhere; the browser's own store may
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    at("form").requestSubmit();
  } else if (event.key === "Escape" && !at("large").open) {
    running?.abort();
  }
});
addEventListener("pagehide", () => running?.abort());

ask().catch(() => (at("error").textContent = "The server does not answer."));
gallery.open();
