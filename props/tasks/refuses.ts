/** That bad input is refused in one sentence for the person at the keyboard. */
import * as assert from 'uvu/assert';
import { UserError } from '../../lib/io/error.ts';

export const refuses = (action: () => unknown, message: RegExp): void => {
  assert.throws(action, (error: Error) => {
    assert.instance(error, UserError);
    assert.match(error.message, message);
    return true;
  });
};
