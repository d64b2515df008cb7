// Starts the page: opens the event stream, and paints the sentence about the machine while the
// browser loads the rest of the code.
import './theme/tokens.css';
import './app/layout.css';
import './header/header.css';
import './now/now.css';
import './now/sentence.css';
import { makeStores, startStores, type Stores } from './app/stores';
import { WAITING, type Part } from './now/sentence';
import { badgeOf, scopeTrouble, statusLine } from './now/status';

/** The HTML of the page with only the logo and the sentence, each at its final position. */
const SHELL = `<header><div class="logo">kh<i>o</i>r</div></header>
<main data-link="connecting" data-view="now"><div class="now"><div class="say"><h1>${WAITING}</h1><p></p></div></div></main>`;

function element(tag: string, className: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** Returns the DOM node for one part of the sentence, in the colour of the part's signal family. */
function painted({ text, family }: Part): Node | string {
  if (family === undefined) return text;
  const words = element('em', '', text);
  words.dataset.family = family;
  return words;
}

/** Shows the logo and the current sentence, and updates the sentence. Call the returned function to
 *  stop the updates. */
function paintShell(root: HTMLElement, { sentence, health, router }: Stores): () => void {
  if (router.place.get().view !== 'now') return () => undefined;
  root.innerHTML = SHELL;
  const [heading, line] = [root.querySelector('h1'), root.querySelector('p')];
  const paint = () => {
    const [shown, state] = [sentence.current.get(), health.state.get()];
    if (shown === null || state === null) return;
    const badge = badgeOf(state);
    heading?.replaceChildren(...(badge === null ? [] : [element('span', badge.className, badge.text)]), ...shown.parts.map(painted));
    line?.replaceChildren(scopeTrouble(state) ?? statusLine(state));
  };
  const ends = [sentence.current.subscribe(paint), health.state.subscribe(paint)];
  return () => ends.forEach((end) => end());
}

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

const stores = makeStores();
const endShell = paintShell(root, stores);
startStores(stores);
import('./main').then(
  ({ mount }) => {
    endShell();
    mount(root, stores);
  },
  () => root.append('Part of this page could not be loaded. Reload the page.'),
);
