/** Our kernels as WebAssembly, in base64; build.mjs writes them. */
export declare const base64: string;
