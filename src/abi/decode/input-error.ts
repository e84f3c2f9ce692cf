/**
 * What is thrown, and the only thing that is thrown, when bytes are not what they were said to be.
 *
 * A handover that can be recognised but is damaged never throws: it becomes damage in the result.
 */

/** The input is not something this can read: where, what is wrong, and what to do about it. */
export class InputError extends Error {
  /** The place in the input, as a short phrase: a file, a section, an offset. */
  readonly where: string;
  /** What the user can do. */
  readonly hint: string;

  constructor(where: string, what: string, hint: string) {
    super(`${where}: ${what}; ${hint}`);
    this.name = 'InputError';
    this.where = where;
    this.hint = hint;
  }
}
