/** The command was written wrongly: exit status 2. */
export class UsageError extends Error {
  declare hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }

  override get name(): string {
    return 'UsageError'
  }
}
