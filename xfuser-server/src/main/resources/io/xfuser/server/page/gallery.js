const MOST = 100; // pictures that are kept; older ones make room

/** The pictures of this browser, in its IndexedDB; where it has none, as long as the page is open. */
export class Gallery {
  #list;
  #card;
  #told;
  #base = null;

  constructor(list, card, told) {
    this.#list = list;
    this.#card = card;
    this.#told = told;
  }

  async open() {
    try {
      const opening = indexedDB.open("xfuser", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("pictures", { keyPath: "id" });
      this.#base = await result(opening);
      this.#base.onversionchange = () => this.#base.close(); // somebody clears the browser's data
      const kept = await result(this.#store("readonly").getAll());
      kept.sort((a, b) => a.id - b.id).forEach((one) => this.#show(one));
    } catch {
      this.#base = null; // a private window, for example
    }
  }

  async add(file, settings) {
    const one = { id: Date.now() + Math.random(), file, settings };
    this.#show(one);
    await this.#kept((store) => store.put(one));
    while (this.#list.children.length > MOST) {
      await this.#remove(this.#list.lastElementChild);
    }
  }

  #show({ id, file, settings }) {
    const card = this.#card.content.cloneNode(true).firstElementChild;
    const url = URL.createObjectURL(file);
    const facts = this.#facts(settings);
    card.dataset.id = id;
    const image = card.querySelector("img");
    image.src = url;
    image.alt = settings.prompt;
    const title = document.createElement("b");
    title.textContent = settings.prompt;
    card.querySelector(".facts").append(title, facts);
    const link = card.querySelector(".download");
    link.href = url;
    link.download = `${settings.prompt.slice(0, 40).replace(/[^\p{L}\p{N}]+/gu, "_")}_${settings.seed}.png`;
    link.setAttribute("aria-label", `Download ${settings.prompt}`);
    this.#on(card, ".picture", `Enlarge ${settings.prompt}`, () =>
      this.#told.show(url, settings, `${settings.prompt} · ${facts}`));
    this.#on(card, ".again", `Use settings of ${settings.prompt}`, () => this.#told.again(settings));
    this.#on(card, ".delete", `Delete ${settings.prompt}`, () => this.#remove(card));
    this.#list.prepend(card);
  }

  #on(card, place, label, act) {
    const button = card.querySelector(place);
    button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
  }

  #facts(settings) {
    const steps = settings.num_inference_steps;
    const facts = [settings.size?.replace("x", "×"), steps && `${steps} steps`, `seed ${settings.seed}`];
    return facts.filter(Boolean).map((fact) => fact.replace(" ", "\u00a0")).join(" · ");
  }

  async #remove(card) {
    const next = card.nextElementSibling ?? card.previousElementSibling;
    const focused = card.contains(document.activeElement);
    URL.revokeObjectURL(card.querySelector("img").src);
    card.remove();
    if (focused) {
      (next?.querySelector(".delete") ?? document.getElementById("prompt")).focus();
    }
    await this.#kept((store) => store.delete(Number(card.dataset.id)));
  }

  /** Does what there is to do in the store; a full or missing one costs the picture of tomorrow alone. */
  async #kept(act) {
    if (this.#base) {
      await result(act(this.#store("readwrite"))).catch(() => {});
    }
  }

  #store(mode) {
    return this.#base.transaction("pictures", mode).objectStore("pictures");
  }
}

function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
