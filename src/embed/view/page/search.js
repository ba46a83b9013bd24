// The search box: names that begin with what is typed, then names that contain it.
const MATCHES = 12;

class Search {
  constructor(names, choose) {
    this.names = names;
    this.lower = names.map((name) => name.toLowerCase());
    this.choose = choose;
    this.found = [];
    this.at = -1;
    this.input = document.getElementById("search");
    this.list = document.getElementById("matches");
    this.input.addEventListener("input", () => this.look());
    this.input.addEventListener("focus", () => this.look());
    this.input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.input.addEventListener("keydown", (e) => this.key(e));
  }

  find(text) {
    const wanted = text.trim().toLowerCase(), first = [], second = [];
    if (wanted === "") return { first, total: 0 };
    let total = 0;
    for (let i = 0; i < this.lower.length; ++i) {
      const place = this.lower[i].indexOf(wanted);
      if (place < 0) continue;
      ++total;
      (place === 0 ? first : second).push(i);
    }
    const short = (a, b) => this.lower[a].length - this.lower[b].length || a - b;
    first.sort(short);
    if (first.length < MATCHES) first.push(...second.sort(short).slice(0, MATCHES - first.length));
    return { first: first.slice(0, MATCHES), total };
  }

  look() {
    const { first, total } = this.find(this.input.value);
    this.found = first;
    this.at = first.length > 0 ? 0 : -1;
    this.list.replaceChildren(...first.map((i, k) => this.item(i, k)));
    const rest = total - first.length, empty = this.input.value.trim() === "";
    if (rest > 0 || (total === 0 && !empty)) {
      const note = document.createElement("li");
      note.className = "more";
      note.textContent = total === 0 ? "No node of this name" : `and ${rest} more`;
      this.list.append(note);
    }
    this.open(!empty);
    this.mark();
  }

  item(i, k) {
    const li = document.createElement("li");
    li.id = "match-" + k;
    li.setAttribute("role", "option");
    li.textContent = this.names[i];
    li.addEventListener("pointerdown", (e) => {
      e.preventDefault();
      this.take(i);
    });
    return li;
  }

  mark() {
    this.found.forEach((_, k) => {
      this.list.children[k].setAttribute("aria-selected", String(k === this.at));
    });
    if (this.at >= 0) this.list.children[this.at].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", this.at >= 0 ? "match-" + this.at : "");
  }

  key(e) {
    const count = this.found.length;
    if (e.key === "ArrowDown" && count > 0) this.at = (this.at + 1) % count;
    else if (e.key === "ArrowUp" && count > 0) this.at = (this.at + count - 1) % count;
    else if (e.key === "Enter" && this.at >= 0) this.take(this.found[this.at]);
    else if (e.key === "Escape") this.close();
    else return;
    e.preventDefault();
    this.mark();
  }

  take(i) {
    this.input.value = this.names[i];
    this.close();
    this.choose(i);
  }

  open(shown) {
    this.list.hidden = !shown;
    this.input.setAttribute("aria-expanded", String(shown));
  }

  close() {
    this.found = [];
    this.at = -1;
    this.open(false);
  }
}
