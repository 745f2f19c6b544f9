import type { ModelwireError } from '../core/error.ts'
import type { Secrets } from '../wire/auth.ts'

const shortest = 6

/** Masks the exact secrets, as they are, URL-encoded and in base64, wherever an error has words: a provider may have echoed them. */
export function redact(error: ModelwireError, secrets: Secrets): ModelwireError {
  const forms = Object.values(secrets).flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ])
  const long = forms.filter((form) => form.length >= shortest)
  if (long.length > 0) maskError(error, (text) => long.reduce((masked, form) => masked.replaceAll(form, '[redacted]'), text), 0)
  return error
}

function maskError(error: Error & { hint?: string }, mask: (text: string) => string, depth: number): void {
  error.message = mask(error.message)
  if (error.stack !== undefined) error.stack = mask(error.stack)
  if (error.hint !== undefined) error.hint = mask(error.hint)
  if (typeof error.cause === 'string') error.cause = mask(error.cause)
  if (error.cause instanceof Error && depth < 5) maskError(error.cause, mask, depth + 1)
}
