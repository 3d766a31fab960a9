/** Placeholder. */
import type { Tensor } from '../tensor.ts';
import type { ElectraConfig } from './config.ts';
import type { Params } from './params.ts';
export const initPositional = (_key: Tensor, params: Params, _config: ElectraConfig): Params => params;
