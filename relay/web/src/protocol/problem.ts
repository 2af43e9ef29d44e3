// What a protocol function throws: `code` tells the caller what it can do, `reason` is a machine word of PROTOCOL.md
// ("Refusals") or of the module that throws, the message is for the log. Holds no secret and no personal data.
export type Code = 'malformed' | 'refused' | 'waiting';

export class Problem extends Error {
  constructor(
    readonly code: Code,
    readonly reason: string,
    message = '',
  ) {
    super(message ? `${reason}: ${message}` : reason);
    this.name = 'Problem';
  }
}

export const malformed = (reason: string, message = ''): Problem => new Problem('malformed', reason, message);
export const refused = (reason: string, message = ''): Problem => new Problem('refused', reason, message);
export const waiting = (reason: string, message = ''): Problem => new Problem('waiting', reason, message);
