/**
 * Errors that are for the person at the keyboard rather than for the programmer: one sentence that says what was
 * expected, what came and what to do next. A program prints its message, without a stack, and exits with code 1.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file or folder; check the path',
  EISDIR: 'it is a folder where a file was expected; check the path',
  ENOTDIR: 'a part of the path is a file where a folder was expected; check the path',
  EACCES: 'you may not do that there; change the permissions or choose another place',
  EPERM: 'you may not do that there; change the permissions or choose another place',
  EROFS: 'that disk is read-only; choose another place',
  ENOSPC: 'the disk is full; free some space or choose another place',
  EDQUOT: 'your disk quota is used up; free some space or choose another place',
};

/**
 * Does `action`; where the file system refuses, says so in a sentence: `clearly('write a.txt', …)` throws "cannot write
 * a.txt: the disk is full; …". Other errors pass unchanged.
 */
export const clearly = <T>(doing: string, action: () => T): T => {
  try {
    return action();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!(code in REASONS)) throw error;
    throw new UserError(`cannot ${doing}: ${REASONS[code]}`, { cause: error });
  }
};
