// Starts the page.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import './theme/tokens.css';
import { App } from './app/App';
import { makeStores, startStores, StoresContext } from './app/stores';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

const stores = makeStores();
startStores(stores);
createRoot(root).render(
  <StrictMode>
    <StoresContext value={stores}>
      <App />
    </StoresContext>
  </StrictMode>,
);
