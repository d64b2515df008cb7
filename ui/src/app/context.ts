// The React context that gives the stores to all components.
import { createContext, useContext } from 'react';
import type { Stores } from './stores';

export const StoresContext = createContext<Stores | null>(null);

export function useStores(): Stores {
  const stores = useContext(StoresContext);
  if (stores === null) throw new Error('no stores: the component is outside StoresContext');
  return stores;
}
