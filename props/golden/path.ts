/** The golden fixtures' folder; `golden('tiny/…')` is a path in it. */
export const golden = (path: string): string => new URL(path, import.meta.url).pathname;
