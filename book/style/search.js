// The search page: the sections that hold the words of a query, the best
// first, each with a sentence. sections.js, which search_sections.py writes, holds
// what there is to find.

const SHOWN = 20;
const TROUBLE = "What goes wrong";
// Words that tell nothing of what is looked for.
const LITTLE = new Set(("a an and are as at be being by can cannot do does for from how i in is "
  + "it my no not of on or that the this to what why with").split(" "));

// Words as they are compared: change, changes and changing are one.
const END = /(?:es|s|ed|ing|e)$/;
const stem = (word) => (word.length > 4 ? word.replace(END, "").replace(/s$/, "") : word);
const words = (text) => (text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? []).map(stem);

const entries = SECTIONS.map(([address, place, heading, text, code]) => {
  const found = words(`${text} ${code}`);
  const counts = new Map();
  for (const word of found) counts.set(word, (counts.get(word) ?? 0) + 1);
  const named = words(heading);
  return {
    address, place, heading, text, counts, named: new Set(named),
    length: found.length, run: ` ${[...named, ...found].join(" ")} `,
  };
});

// A rare word tells more than a common one.
function rarity(word) {
  const held = entries.filter(({ counts, named }) => counts.has(word) || named.has(word));
  return held.length ? Math.log(1 + entries.length / held.length) : 0;
}

// The longest run of a query's words that stands in a section as it is.
function longestRun(query, { run }) {
  for (let size = query.length; size > 1; size -= 1) {
    for (let first = 0; first + size <= query.length; first += 1) {
      if (run.includes(` ${query.slice(first, first + size).join(" ")} `)) return size;
    }
  }
  return 0;
}

function score(entry, query, weights) {
  let sum = 0;
  let matched = 0;
  for (const [word, weight] of weights) {
    const count = entry.counts.get(word) ?? 0;
    const named = entry.named.has(word) ? 1.5 : 0;
    if (count || named) matched += weight;
    sum += weight * (named + count / (count + 0.5 + entry.length / 300));
  }
  const all = [...weights.values()].reduce((total, weight) => total + weight, 0);
  const trouble = entry.place.endsWith(TROUBLE) ? 1.5 : 1; // what most look for
  return trouble * sum * (matched / all) ** 2 * (1 + longestRun(query, entry) / query.length);
}

function search(text) {
  const query = words(text);
  const telling = query.filter((word) => !LITTLE.has(word));
  const weights = new Map(
    (telling.length ? telling : query).map((word) => [word, rarity(word)]));
  return entries
    .map((entry) => ({ ...entry, score: score(entry, query, weights), weights }))
    .filter((entry) => entry.score > 0)
    .sort((one, other) => other.score - one.score)
    .slice(0, SHOWN);
}

// The sentence of a section that holds most of the query.
function sentence({ text, weights }) {
  const worth = (part) => [...new Set(words(part))]
    .reduce((sum, word) => sum + (weights.get(word) ?? 0), 0);
  const parts = text.split(/ ¶ |(?<=[.:?!]) /);
  const best = parts.reduce((one, other) => (worth(other) > worth(one) ? other : one));
  return best.length > 240 ? `${best.slice(0, 240)} …` : best;
}

function add(parent, name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return parent.appendChild(element);
}

function marked(parent, text, weights) {
  for (const part of text.split(/([\p{L}\p{N}_]+)/u)) {
    const hit = weights.has(stem(part.toLowerCase()));
    parent.append(hit ? add(parent, "mark", part) : part);
  }
}

const query = new URLSearchParams(location.search).get("q")?.trim();
if (query) {
  for (const input of document.querySelectorAll("input[name=q]")) input.value = query;
  const place = document.getElementById("search-results");
  const found = search(query);
  const told = add(place, "p", found.length
    ? `The ${found.length} best sections for “${query}”:`
    : `No section holds a word of “${query}”.`);
  told.setAttribute("role", "status");
  const list = add(place, "ol", "");
  for (const entry of found) {
    const item = add(list, "li", "");
    const link = add(item, "a", "");
    link.href = entry.address;
    marked(link, entry.heading, entry.weights);
    if (entry.place) add(item, "span", ` in ${entry.place}`);
    marked(add(item, "p", ""), sentence(entry), entry.weights);
  }
}
