/** The search of the site: an index that lies beside it, loaded when somebody first types. Without JavaScript there is none. */
const box = document.querySelector('search');
const input = box.querySelector('input');
const list = box.querySelector('ol');
const { home } = box.dataset;

let loaded;

box.hidden = false;
input.addEventListener('focus', index);
input.addEventListener('input', async () => {
  const text = input.value.trim();
  const found = text ? (await index()).search(text).slice(0, 12) : [];
  if (text === input.value.trim()) show(found, text);
});
addEventListener('keydown', (event) => {
  if (event.key === '/' && !event.target.closest('input')) {
    event.preventDefault();
    input.focus();
  }
  if (event.key === 'Escape') list.replaceChildren();
});
addEventListener('click', (event) => {
  if (!box.contains(event.target)) list.replaceChildren();
});

function index() {
  loaded ??= loadIndex();
  return loaded;
}

async function loadIndex() {
  await Promise.all([loadScript('minisearch.js'), loadScript('search-index.js')]);
  const made = new globalThis.MiniSearch({
    fields: ['heading', 'page', 'text'],
    storeFields: ['heading', 'page'],
    // `max-processes` is found whole and by its parts.
    tokenize: (text) =>
      text
        .toLowerCase()
        .split(/[^\p{L}\p{N}_-]+/u)
        .flatMap((word) => [word, ...(/[_-]/.test(word) ? word.split(/[_-]+/) : [])]),
    searchOptions: {
      boost: { heading: 3, page: 2 },
      prefix: true,
      fuzzy: 0.15,
      combineWith: 'AND',
      boostDocument: weightOf,
    },
  });
  made.addAll(globalThis.searchSections);
  return made;
}

/** Pages for those who change Isthmus come behind those for its users. */
function weightOf(id) {
  return /^(test|contributing|changelog|docs\/(decisions|newcomers))/.test(id) ? 0.4 : 1;
}

/** A script, since a page from the disk may fetch nothing. */
function loadScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = home + name;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

function show(found, text) {
  list.replaceChildren(...(found.length > 0 ? found.map(resultItem) : text ? [noneItem()] : []));
}

function resultItem({ id, heading, page }) {
  const item = document.createElement('li');
  const link = document.createElement('a');
  const where = document.createElement('small');
  link.href = home + id;
  where.textContent = page;
  link.append(heading, where);
  item.append(link);
  return item;
}

function noneItem() {
  const item = document.createElement('li');
  item.className = 'none';
  item.textContent = 'Nothing was found.';
  return item;
}
