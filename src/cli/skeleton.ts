/** What is known of a manifest before it is written. */
export interface Start {
  id: string
  parent: string | undefined
  base: string | undefined
  /** Path of the schema, for editors. */
  schema: string | undefined
}

/** A provider that speaks a known wire. */
export function extending({ id, parent, base, schema }: Start): string {
  return `${header(schema)}id: ${id}
extends: ${parent ?? ''}
base: ${base ?? 'https://api.example.com/v1'} # where its API lives; the operations' paths follow
auth: { bearer: ${variable(id)} } # the environment variable that holds the key
`
}

/** A provider with a wire of its own: an invented one, of which each line wants to be replaced. */
export function skeleton({ id, base, schema }: Start): string {
  return `${header(schema)}id: ${id}
name: ${title(id)}
docs: https://example.com/docs # where its API is described
base: ${base ?? 'https://api.example.com/v1'} # the operations' paths follow
auth: { bearer: ${variable(id)} } # or header: { x-api-key: … }, query: { key: … }, or none

define:
  message: # one turn of ours, as they write it
    role: { $switch: $.role, tool: user, $else: $.role }
    content: "$.content[?(@.type=='text')].text | join"

operations:
  chat:
    post: /chat
    body: # a key whose value selects nothing is left out
      model: $.model
      system: "$.system[*].text | join"
      messages: { $each: $.messages, $do: { $use: message } }
      max_tokens: $.maxTokens
      temperature: $.temperature
      stream: $.stream
    decode: sse # or ndjson, json, bytes; the reply's own type comes first
    complete: [finish] # what proves that a stream is whole: done, finish, end, { when: … }
    events: # every rule that matches a frame speaks
      start: { emit: { type: start, id: $.id, model: $.model } }
      text: { emit: { type: text, delta: $.delta.text ?? $.message.text } } # in pieces, or whole
      usage: { emit: { type: usage, raw: $.usage } }
      finish: { emit: { type: finish, raw: $.finish_reason } }
      error: { when: { error: "*" }, emit: { type: error, body: $ } }
    finish: { stop: stop, length: length, $else: other } # their word: our word
    usage:
      inputTokens: $.input_tokens
      outputTokens: $.output_tokens

error: { message: $.error.message, type: $.error.type, code: $.error.code } # how it spells an error
errors: # what its errors mean; what plain HTTP says needs no row
  - { when: { code: insufficient_quota }, kind: quota_exhausted }
`
}

function header(schema: string | undefined): string {
  return schema === undefined ? '' : `# yaml-language-server: $schema=${schema}\n`
}

function variable(id: string): string {
  return `${id.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}_API_KEY`
}

function title(id: string): string {
  return JSON.stringify(id.charAt(0).toUpperCase() + id.slice(1))
}
