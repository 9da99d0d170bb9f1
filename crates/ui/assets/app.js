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

// A live part is told by the server what to write where; at the end the page is fetched anew.
for (const part of document.querySelectorAll('[data-live]')) {
  const source = new EventSource(part.dataset.live);
  source.addEventListener('progress', (event) => {
    for (const [name, text] of Object.entries(JSON.parse(event.data))) {
      for (const place of part.querySelectorAll(`[data-bind="${CSS.escape(name)}"]`)) {
        if (place instanceof HTMLProgressElement) place.value = Number(text);
        else place.textContent = text;
      }
    }
  });
  source.addEventListener('end', () => {
    source.close();
    location.reload();
  });
}
