/** In place of linkedom, where there is a browser: its own document. */
export const parseHTML = (): { document: Document } => ({ document });
