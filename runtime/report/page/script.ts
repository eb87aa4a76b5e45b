// What a page does: tables sort by their heads, pictures open in a viewer, one pair of rows is shown at a time. Without it all is there, and nothing sorts.
// It asks for nothing and keeps nothing. Plain text, since it runs in the reader's browser and not here.

export const SCRIPT = `'use strict';
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Tables. A published row stays below the row that it belongs to; what has no value comes last.
  for (const table of all('table.results:not(.matrix)')) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    if (body.rows.length < 2) continue;
    const groups = [];
    for (const row of body.rows) if (row.classList.contains('published') && groups.length > 0) groups[groups.length - 1].push(row); else groups.push([row]);
    heads.forEach((head, column) => {
      if (head.tagName !== 'TH') return;
      const button = document.createElement('button'), numeric = head.classList.contains('number');
      button.type = 'button';
      button.append(...head.childNodes);
      if (button.textContent.trim() === '') button.setAttribute('aria-label', 'name');
      head.append(button);
      button.addEventListener('click', () => {
        const before = head.getAttribute('aria-sort'), [first, second] = numeric ? ['descending', 'ascending'] : ['ascending', 'descending'];
        const now = before === null ? first : before === first ? second : null;
        for (const other of heads) other.removeAttribute('aria-sort');
        if (now !== null) head.setAttribute('aria-sort', now);
        const key = ([row]) => { const c = row.cells[column], v = c === undefined ? '' : c.dataset.value ?? c.textContent.trim(); return v === '' ? null : numeric ? Number(v) : v; };
        const order = now === null ? groups : [...groups].sort((a, b) => {
          const [x, y] = [key(a), key(b)];
          if (x === null || y === null) return (x === null) - (y === null);
          const by = numeric ? x - y : x.localeCompare(y, 'en', { numeric: true });
          return now === 'ascending' ? by : -by;
        });
        body.append(...order.flat());
      });
    });
  }

  // The viewer: arrows, Home and End go on, O takes the overlay away, Escape closes and gives the place back.
  const viewer = document.querySelector('dialog.viewer');
  if (viewer !== null) {
    const stage = viewer.querySelector('.stage'), caption = viewer.querySelector('.caption'), count = viewer.querySelector('.count'), overlay = viewer.querySelector('[data-do="overlay"]');
    let shots = [], at = 0;
    const show = (index) => {
      at = Math.max(0, Math.min(shots.length - 1, index));
      stage.replaceChildren(shots[at].querySelector('.layers').cloneNode(true));
      caption.replaceChildren(...shots[at].parentElement.querySelector('p').cloneNode(true).childNodes);
      const of = shots[at].closest('ul').getAttribute('aria-label');
      if (of !== null) caption.append(Object.assign(document.createElement('span'), { className: 'soft', textContent: ' \u00b7 ' + of }));
      count.textContent = (at + 1) + ' of ' + shots.length;
    };
    const toggle = () => { overlay.setAttribute('aria-pressed', String(!viewer.classList.toggle('bare'))); };
    const acts = { previous: () => show(at - 1), next: () => show(at + 1), overlay: toggle, close: () => viewer.close() };
    for (const shot of all('button.shot')) shot.addEventListener('click', () => {
      shots = all('button.shot').filter((s) => s.closest('[hidden]') === null);
      show(shots.indexOf(shot));
      viewer.showModal();
      viewer.querySelector('[data-do="next"]').focus();
    });
    for (const button of all('[data-do]', viewer)) button.addEventListener('click', () => acts[button.dataset.do]());
    viewer.addEventListener('click', (e) => { if (e.target === viewer) viewer.close(); });
    viewer.addEventListener('close', () => { shots[at]?.focus(); });
    viewer.addEventListener('keydown', (e) => {
      const act = { ArrowLeft: acts.previous, ArrowRight: acts.next, Home: () => show(0), End: () => show(shots.length - 1), o: toggle, O: toggle }[e.key];
      if (act === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      act();
    });
  }

  // Pairs of rows: the one that the address names, else the first.
  const pairs = all('.pair'), choosers = all('.pairs select');
  if (pairs.length > 0 && choosers.length === 2) {
    const [left, right] = choosers, idOf = (a, b) => 'pair-' + Math.min(a, b) + '-' + Math.max(a, b);
    const select = (id) => {
      const chosen = pairs.find((p) => p.id === id) ?? pairs[0], [, a, b] = chosen.id.split('-');
      for (const pair of pairs) pair.hidden = pair !== chosen;
      if (left.value === right.value || idOf(Number(left.value), Number(right.value)) !== chosen.id) [left.value, right.value] = [a, b];
    };
    const asked = () => location.hash.slice(1);
    for (const chooser of choosers) chooser.addEventListener('change', () => {
      const id = idOf(Number(left.value), Number(right.value));
      if (pairs.some((p) => p.id === id)) { history.pushState(null, '', '#' + id); select(id); }
    });
    const follow = () => {
      if (asked() === '') select('');
      if (!asked().startsWith('pair-')) return;
      select(asked());
      document.getElementById(asked())?.scrollIntoView();
    };
    addEventListener('hashchange', follow);
    addEventListener('popstate', follow);
    select('');
    follow();
  }
})();
`;
