// Uses only the original's API: reads metrics in `onmessage`, and sends all settings on "Apply
// mapping".
const cards = document.querySelector('#cards');
let events = 0;
new EventSource('/api/stream').onmessage = (event) => {
  const { rates } = JSON.parse(event.data);
  document.querySelector('#events').textContent = String(++events);
  for (const [name, value] of Object.entries(rates)) {
    let card = cards.querySelector(`[data-rate=${name}]`);
    if (card === null) {
      card = document.createElement('li');
      card.dataset.rate = name;
      cards.append(card);
    }
    card.textContent = value === null ? 'unknown' : value.toFixed(1);
  }
};
document.querySelector('#apply').onclick = async () => {
  const { music, audio, midi, osc, features } = await (await fetch('/api/config')).json();
  const wanted = { music: { ...music, bpm: 97, key_midi: 57 }, audio, midi: { ...midi, channel: 2 }, osc, features };
  const answer = await fetch('/api/config', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wanted) });
  document.querySelector('#applied').textContent = String((await answer.json()).ok);
};
