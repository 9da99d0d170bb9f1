// Niceties that pages can do without: copying, live progress, filters that apply themselves.
document.documentElement.classList.add('has-scripts');

// A button copies what it names, and says so for a moment.
document.addEventListener('click', async (event) => {
  const button = event.target instanceof Element ? event.target.closest('button[data-copy]') : null;
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const holder = button.closest('.copyable, .code') ?? button;
  const said = button.getAttribute('aria-label');
  holder.classList.add('done');
  button.setAttribute('aria-label', button.dataset.copied);
  setTimeout(() => {
    holder.classList.remove('done');
    button.setAttribute('aria-label', said);
  }, 1600);
});

// A filter applies as soon as it is chosen.
for (const form of document.querySelectorAll('form[data-apply]')) {
  form.addEventListener('change', () => form.requestSubmit());
  for (const button of form.querySelectorAll('button[data-spare]')) button.hidden = true;
}

// A check is told while it goes on: each permission as it is tried, and at last the page as it is then.
document.addEventListener('submit', async (event) => {
  const form = event.target.closest?.('form[data-stream]');
  if (!form || event.defaultPrevented) return;
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  const rows = (html) => [...drawn(`<table><tbody>${html}</tbody></table>`).querySelectorAll('tr')];
  const tell = (name, { key, html }) => {
    const body = document.querySelector('#permissions tbody');
    if (name === 'rows') body.replaceChildren(...rows(html));
    else if (name === 'row') body.querySelector(`tr[data-key="${CSS.escape(key)}"]`)?.replaceWith(...rows(html));
    else if (name === 'page') {
      document.querySelector('main').replaceChildren(...drawn(html).querySelector('main').childNodes);
      return true;
    }
    return false;
  };
  let isOver = false;
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.stream, { method: 'POST', body });
    if (answer.ok && !answer.redirected) {
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += part.value;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const found = text.slice(0, end).match(/^event: (.*)\ndata: (.*)$/);
          text = text.slice(end + 2);
          if (found && tell(found[1], JSON.parse(found[2]))) isOver = true;
        }
      }
    }
  } catch {
    // What follows asks again, without a stream.
  }
  if (!isOver) form.submit();
});

// Times are shown in the zone of whoever looks, from the next page on.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) document.cookie = `segue-zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;

// The code of the one-time link stands behind the #, so that no log and no proxy sees it.
for (const form of document.querySelectorAll('form[data-code]')) {
  const field = form.elements.namedItem(form.dataset.code);
  if (location.hash.length > 1 && field instanceof HTMLInputElement) {
    field.value = location.hash.slice(1);
    history.replaceState(null, '', location.pathname);
    form.elements.namedItem('user').focus();
  }
}

// What a page does not wait for comes when it stands: behind the frame in which it is painted first.
// Being idle is not enough, as a page is that while it waits for its first frame.
const whenPainted = (work) => requestAnimationFrame(() => setTimeout(work));

// Nodes out of a text that the server drew.
const drawn = (text) => new DOMParser().parseFromString(text, 'text/html');

// Draws the page anew where it stands: nothing jumps, and the focus stays where it can.
async function redraw() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
  if (!answer.ok || answer.redirected) return location.reload();
  const next = drawn(await answer.text()).querySelector('main');
  const here = document.querySelector('main');
  if (!next || !here) return location.reload();
  const focused = document.activeElement?.id;
  here.replaceChildren(...next.childNodes);
  if (focused) document.getElementById(focused)?.focus();
  watch(here);
}

// A live part is told by the server what to write where; at the end the page is drawn anew. A page on
// which something goes on is drawn anew now and then, unless somebody is in the middle of something.
let again;
function watch(root) {
  for (const part of root.querySelectorAll('[data-live]')) {
    const source = new EventSource(part.dataset.live);
    source.addEventListener('progress', (event) => {
      if (!part.isConnected) return source.close();
      for (const [name, text] of Object.entries(JSON.parse(event.data))) {
        for (const place of part.querySelectorAll(`[data-bind="${CSS.escape(name)}"]`)) {
          if (place instanceof HTMLProgressElement) {
            if (text) place.value = Number(text);
            else place.removeAttribute('value');
          }
          else place.textContent = text;
        }
      }
    });
    source.addEventListener('end', () => {
      source.close();
      redraw();
    });
  }
  const seconds = Number(root.querySelector('[data-refresh]')?.dataset.refresh);
  clearTimeout(again);
  if (seconds > 0) {
    again = setTimeout(() => {
      const busy = document.querySelector('dialog[open], :popover-open, details[open]') ?? document.activeElement?.closest('form');
      if (busy || document.hidden) watch(root);
      else redraw();
    }, seconds * 1000);
  }
}
watch(document);

// A form that is tried while somebody types: what comes of it is drawn in a place of its own.
for (const form of document.querySelectorAll('form[data-try]')) {
  const place = document.getElementById(form.dataset.try);
  let timer;
  let running;
  const attempt = async () => {
    running?.abort();
    running = new AbortController();
    place.setAttribute('aria-busy', 'true');
    try {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.action, { method: 'POST', body, headers: { 'x-segue-part': '1' }, signal: running.signal });
      if (answer.redirected) return location.reload();
      place.replaceChildren(...drawn(await answer.text()).body.childNodes);
      place.removeAttribute('aria-busy');
      mark(form, place);
    } catch (error) {
      if (error.name !== 'AbortError') place.removeAttribute('aria-busy');
    }
  };
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(attempt, 450);
  });
  // What the page did not wait for.
  if (form.matches('[data-live-first], :has([data-live-first])')) whenPainted(attempt);
  if ('keep' in form.dataset) {
    // A wizard: the server keeps what was filled in, and some choices change which fields there are.
    const shapes = form.dataset.keep.split(' ');
    form.addEventListener('change', (event) => {
      if (event.target instanceof HTMLSelectElement && shapes.includes(event.target.name.split('.')[0])) form.requestSubmit();
    });
    form.addEventListener('submit', () => clearTimeout(timer));
  } else {
    form.addEventListener('submit', (event) => {
      clearTimeout(timer);
      // A button that leads elsewhere saves.
      if (event.submitter?.hasAttribute('formaction')) return;
      event.preventDefault();
      attempt();
    });
  }
}

// Rows are moved by dragging them, or by their arrows without a new page.
for (const list of document.querySelectorAll('[data-reorder]')) {
  let dragged;
  const moved = () => list.dispatchEvent(new Event('input', { bubbles: true }));
  list.addEventListener('dragstart', (event) => {
    dragged = event.target.closest?.('[data-row]');
    dragged?.classList.add('dragged');
  });
  list.addEventListener('dragover', (event) => {
    const over = event.target.closest('[data-row]');
    if (!dragged || !over) return;
    event.preventDefault();
    if (over === dragged) return;
    const box = over.getBoundingClientRect();
    if (event.clientY > box.top + box.height / 2) over.after(dragged);
    else over.before(dragged);
  });
  list.addEventListener('dragend', () => {
    dragged?.classList.remove('dragged');
    dragged = undefined;
    moved();
  });
  list.addEventListener('click', (event) => {
    const button = event.target.closest('button[name="go"]');
    const row = button?.closest('[data-row]');
    const [what] = button?.value.split(':') ?? [];
    const other = what === 'up' ? row?.previousElementSibling : what === 'down' ? row?.nextElementSibling : null;
    if (!button || (what !== 'up' && what !== 'down')) return;
    event.preventDefault();
    if (!other) return;
    if (what === 'up') other.before(row);
    else other.after(row);
    button.focus();
    moved();
  });
  // A field of a row is selected with the mouse, not dragged.
  for (const field of list.querySelectorAll('input, select')) {
    field.addEventListener('focus', () => field.closest('[data-row]').removeAttribute('draggable'));
    field.addEventListener('blur', () => field.closest('[data-row]').setAttribute('draggable', 'true'));
  }
}

// Says at the field itself whether what stands in it is wrong.
function mark(form, place) {
  const rows = [...form.querySelectorAll('[data-row]')];
  if (rows.length > 0) {
    const told = new Map();
    for (const fault of place.querySelectorAll('[data-fault^="mapping."]')) {
      const number = Number(fault.dataset.fault.split('.')[1]);
      if (!told.has(number)) told.set(number, fault.querySelector('.detail'));
    }
    rows.forEach((row, number) => tell(row.querySelector('input'), told.get(number)));
  }
  for (const field of form.querySelectorAll('[data-of]')) {
    const own = field.dataset.of;
    const faults = [...place.querySelectorAll('[data-fault]')];
    const fault = faults.find(({ dataset: { fault } }) => fault === own || fault.startsWith(`${own}.`));
    tell(field, fault?.querySelector('.detail'));
  }
  const text = form.querySelector('textarea:not([data-of])');
  if (!text) return;
  if (place.querySelector('[data-place], .note.bad')) text.setAttribute('aria-invalid', 'true');
  else text.removeAttribute('aria-invalid');
}

// Says below a field what is wrong with it, or that nothing is.
function tell(field, what) {
  const hint = document.getElementById(`${field.id}-hint`);
  document.getElementById(`${field.id}-error`)?.remove();
  field.removeAttribute('aria-invalid');
  let described = hint ? [hint.id] : [];
  if (what) {
    const error = document.createElement('p');
    error.className = 'error';
    error.id = `${field.id}-error`;
    error.append(...what.cloneNode(true).childNodes);
    field.after(error);
    field.setAttribute('aria-invalid', 'true');
    described = [error.id, ...described];
  }
  if (described.length > 0) field.setAttribute('aria-describedby', described.join(' '));
  else field.removeAttribute('aria-describedby');
}

// The entries of a list of fields, of which some hundred are laid out: as many as are looked at. Thousands
// would be laid out anew with every page that is opened behind them.
const STEP = 100;
const kept = new WeakMap();
const entries = (list) => kept.get(list) ?? [];
const pressed = (list) => entries(list).flatMap((entry) => [...entry.querySelectorAll('button')]);
for (const list of document.querySelectorAll('.fields')) {
  const search = document.querySelector(`input[data-find="${list.id}"]`);
  let fitting = [];
  const end = new IntersectionObserver((changes) => changes.some((change) => change.isIntersecting) && more(), { root: list, rootMargin: '0px 0px 400px' });
  const more = () => {
    const place = list.firstElementChild;
    end.disconnect();
    place.append(...fitting.slice(place.children.length, place.children.length + STEP));
    if (place.children.length < fitting.length) end.observe(place.lastElementChild);
    list.dispatchEvent(new Event('shown'));
  };
  const narrow = () => {
    const wanted = search?.value.trim().toLowerCase() ?? '';
    const fits = (button) => button.title.toLowerCase().includes(wanted);
    fitting = entries(list).filter((entry) => {
      const buttons = [...entry.querySelectorAll('button')];
      for (const button of buttons) button.parentElement.hidden = !fits(button);
      const group = entry.querySelector('details');
      if (group && wanted && buttons.some(fits)) group.open = true;
      return buttons.some(fits);
    });
    list.firstElementChild.replaceChildren();
    list.scrollTop = 0;
    more();
    const none = list.parentElement.querySelector('.none-found');
    if (none) none.hidden = fitting.length > 0;
  };
  const keep = () => {
    kept.set(list, [...list.firstElementChild.children]);
    narrow();
  };
  keep();
  search?.addEventListener('input', narrow);
  list.addEventListener('filled', keep);
}

// Any other list is narrowed to the lines that hold what is looked for.
for (const search of document.querySelectorAll('input[data-find]')) {
  const list = document.getElementById(search.dataset.find);
  if (list.matches('.fields')) continue;
  const narrow = () => {
    const wanted = search.value.trim().toLowerCase();
    let found = 0;
    for (const item of list.querySelectorAll(':scope > :not(.beyond)')) {
      item.hidden = !item.textContent.toLowerCase().includes(wanted);
      if (!item.hidden) found += 1;
    }
    const none = list.parentElement.querySelector('.none-found');
    if (none) none.hidden = found > 0;
  };
  search.addEventListener('input', narrow);
  list.addEventListener('filled', narrow);
}

// A page begins with the first entries; the rest comes when it stands.
for (const list of document.querySelectorAll('[data-more]')) {
  const fill = async () => {
    const answer = await fetch(list.dataset.more, { headers: { 'x-segue-part': '1' } });
    if (!answer.ok || answer.redirected) return;
    const ticked = new Map([...list.querySelectorAll('input[type=checkbox]')].map((box) => [box.value, box.checked]));
    list.replaceChildren(...drawn(await answer.text()).body.childNodes);
    // What was ticked meanwhile stays so.
    for (const box of list.querySelectorAll('input[type=checkbox]')) box.checked = ticked.get(box.value) ?? box.checked;
    list.dispatchEvent(new Event('filled'));
  };
  whenPainted(fill);
}

// What takes counting is asked for when it is opened.
document.addEventListener(
  'toggle',
  async (event) => {
    const box = event.target;
    const address = box instanceof HTMLDetailsElement && box.open ? box.dataset.load : undefined;
    if (!address) return;
    delete box.dataset.load;
    const place = box.lastElementChild;
    place.setAttribute('aria-busy', 'true');
    const answer = await fetch(address, { headers: { 'x-segue-part': '1' } });
    if (answer.ok && !answer.redirected) place.replaceChildren(...drawn(await answer.text()).body.childNodes);
    else box.dataset.load = address;
    place.removeAttribute('aria-busy');
  },
  true,
);

// How many profiles have a value is asked for the fields that are seen, a few dozen at a time. The browser
// tells which those are: measuring thousands of fields would lay all of them out.
for (const list of document.querySelectorAll('[data-shares]')) {
  const asked = new Set();
  const seen = new Set();
  const told = {};
  const show = () => {
    for (const button of list.querySelectorAll('button[title]')) {
      const share = told[button.title];
      if (!share) continue;
      const place = button.querySelector('.share');
      place.textContent = share.text;
      place.title = share.title;
      place.removeAttribute('aria-hidden');
    }
  };
  const ask = async () => {
    const some = [...seen].filter((button) => !asked.has(button.title)).slice(0, 40);
    if (some.length === 0) return;
    for (const button of some) asked.add(button.title);
    const body = new URLSearchParams(some.map((button) => ['field', button.title]));
    body.set('csrf', document.querySelector('input[name="csrf"]').value);
    const answer = await fetch(list.dataset.shares, { method: 'POST', body, headers: { 'x-segue-part': '1' } });
    if (!answer.ok || answer.redirected) return;
    Object.assign(told, await answer.json());
    show();
    later();
  };
  let running = Promise.resolve();
  let timer;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (running = running.then(ask, ask)), 300);
  };
  const look = (changes) => {
    for (const { isIntersecting, target } of changes) {
      if (isIntersecting) seen.add(target);
      else seen.delete(target);
    }
    later();
  };
  const observer = new IntersectionObserver(look, { root: list, rootMargin: '0px 0px 200px' });
  const watch = () => {
    observer.disconnect();
    seen.clear();
    for (const button of list.querySelectorAll('button[title]')) observer.observe(button);
    show();
  };
  list.addEventListener('shown', watch);
  watch();
}

// Enter in a search searches, and does not go on.
document.addEventListener('keydown', (event) => {
  const field = event.target instanceof HTMLInputElement ? event.target : null;
  if (event.key !== 'Enter' || field?.type !== 'search' || !field.closest('.wizard')) return;
  event.preventDefault();
  if (field.name === 'find') document.getElementById('find-them').click();
});

// The line of a segment says what stands in its form.
for (const box of document.querySelectorAll('details:has([data-says])')) {
  const field = (name) => box.querySelector(`[name^="${name}."]`);
  const chosen = (name) => field(name).selectedOptions[0]?.textContent ?? '';
  const say = () => {
    const often = field('frequency').value;
    const at = often === 'none' ? '' : field(often === 'cron' ? 'cron' : 'at').value.trim();
    box.querySelector('[data-says="when"]').textContent = [chosen('frequency'), at].filter(Boolean).join(' · ');
    box.querySelector('[data-says="export"]').textContent = chosen('export');
  };
  box.addEventListener('input', say);
  // What the browser filled in again; the page is seen first.
  whenPainted(say);
}

// Boxes are ticked together.
document.addEventListener('click', (event) => {
  const button = event.target instanceof Element ? event.target.closest('button[data-tick], button[data-untick]') : null;
  if (!button) return;
  const { tick, untick } = button.dataset;
  for (const box of button.form.querySelectorAll(`input[name="${CSS.escape(tick ?? untick)}"]`)) box.checked = tick !== undefined;
});

// A button puts its value where the cursor stands.
function insert(text, value, from = text.selectionStart) {
  text.setRangeText(value, from, text.selectionEnd, 'end');
  text.focus();
  text.dispatchEvent(new Event('input', { bubbles: true }));
}
document.addEventListener('click', (event) => {
  const button = event.target instanceof Element ? event.target.closest('button[data-insert]') : null;
  if (button) insert(document.getElementById(button.dataset.insert), button.value);
});

// Fields are completed: a list opens below the text, arrows choose, Enter or Tab takes, Escape closes.
for (const text of document.querySelectorAll('textarea[data-complete]')) {
  const known = () => pressed(document.getElementById(text.dataset.complete)).map((button) => button.value);
  const list = document.createElement('ul');
  list.className = 'completions';
  list.id = `${text.id}-completions`;
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', text.labels[0]?.textContent ?? '');
  list.hidden = true;
  text.after(list);
  text.setAttribute('aria-controls', list.id);
  text.setAttribute('aria-autocomplete', 'list');
  let chosen = 0;
  const word = () => text.value.slice(0, text.selectionStart).match(/[\p{L}\p{N}_.]*$/u)[0];
  const close = () => {
    list.hidden = true;
    text.removeAttribute('aria-activedescendant');
  };
  const take = (value) => {
    insert(text, value, text.selectionStart - word().length);
    close();
  };
  const choose = (at) => {
    chosen = (at + list.children.length) % list.children.length;
    [...list.children].forEach((item, number) => item.setAttribute('aria-selected', String(number === chosen)));
    list.children[chosen].scrollIntoView({ block: 'nearest' });
    text.setAttribute('aria-activedescendant', list.children[chosen].id);
  };
  const open = (least) => {
    const begun = word().toLowerCase();
    const fit = known().filter((name) => name.toLowerCase().includes(begun) && name.toLowerCase() !== begun).slice(0, 8);
    if (begun.length < least || fit.length === 0) return close();
    list.replaceChildren(
      ...fit.map((name, number) => {
        const item = document.createElement('li');
        item.setAttribute('role', 'option');
        item.id = `${list.id}-${number}`;
        item.textContent = name;
        item.addEventListener('mousedown', (event) => {
          event.preventDefault();
          take(name);
        });
        return item;
      }),
    );
    list.hidden = false;
    choose(0);
  };
  text.addEventListener('input', () => open(2));
  text.addEventListener('blur', close);
  text.addEventListener('keydown', (event) => {
    if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault();
      open(0);
    } else if (list.hidden) return;
    else if (event.key === 'ArrowDown') choose(chosen + 1);
    else if (event.key === 'ArrowUp') choose(chosen - 1);
    else if (event.key === 'Enter' || event.key === 'Tab') take(list.children[chosen].textContent);
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
  });
}

// A destination that was just connected is checked at once.
if (location.search === '?check=now') document.querySelector('form[action$="/check"]')?.requestSubmit();
