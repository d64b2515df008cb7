// What is said to those who hear the page: seldom, and only what is new.
import { useEffect, useState } from 'react';

const ANNOUNCE_MS = 10_000;

/** Passes a text on at most every ten seconds, and only when `sense` has changed. */
export function useAnnounced(text: string, sense: string): string {
  const [said, setSaid] = useState({ text: '', sense: '', at: -Infinity });
  useEffect(() => {
    if (sense === said.sense || text === '') return;
    const wait = Math.max(0, said.at + ANNOUNCE_MS - performance.now());
    const timer = setTimeout(() => setSaid({ text, sense, at: performance.now() }), wait);
    return () => clearTimeout(timer);
  }, [text, sense, said]);
  return said.text;
}
