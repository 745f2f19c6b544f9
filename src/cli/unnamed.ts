import { openRuntime, type SessionFlags } from './session.ts'
import { note, paintNote, safe } from './terminal.ts'

/**
 * The model for who names none: the one on this machine that says it is the default, unless a provider's key is set, for
 * then another one was probably meant. Says in one line what it chose. Nothing when there is no such model.
 */
export async function unnamed(flags: SessionFlags): Promise<{ model?: string }> {
  const { MODELWIRE_MODEL } = process.env
  if ((MODELWIRE_MODEL !== undefined && MODELWIRE_MODEL !== '') || flags.baseUrl !== undefined) return {}
  const mw = await openRuntime(flags)
  try {
    if (mw.providers().some(({ key }) => key === 'set')) return {}
    const chosen = (await mw.models.list()).find((model) => model.default === true && model.present)
    if (chosen === undefined) return {}
    const model = `${chosen.provider}/${chosen.id}`
    note(
      paintNote.dim(
        `no model was named and no key is set: ${safe(chosen.name ?? model)} answers, in this process (-m ${safe(model)})`,
      ),
    )
    return { model }
  } finally {
    await mw.close()
  }
}
