// What differs between the models behind one wire. Source: ai.google.dev, pages of the models and the Live guide, autumn 2026.

export interface ModelTraits {
  /**
   * Tools run beside the conversation: it is not silent while one works, and a result says when it wants to be spoken
   * about. `gemini-3.8-live` is so unless told otherwise; the models before it wait for the result.
   */
  readonly asyncTools: boolean
}

/** With or without `models/` before it. */
export function traitsOf(model: string): ModelTraits {
  return { asyncTools: /^(models\/)?gemini-3\.8-live/.test(model) }
}

/** The prebuilt voices; another name closes the connection. */
const voices = new Map(
  [
    ...['Achernar', 'Achird', 'Algenib', 'Algieba', 'Alnilam', 'Aoede', 'Autonoe', 'Callirrhoe', 'Charon', 'Despina'],
    ...['Enceladus', 'Erinome', 'Fenrir', 'Gacrux', 'Iapetus', 'Kore', 'Laomedeia', 'Leda', 'Orus', 'Puck'],
    ...['Pulcherrima', 'Rasalgethi', 'Sadachbia', 'Sadaltager', 'Schedar', 'Sulafat', 'Umbriel', 'Vindemiatrix'],
    ...['Zephyr', 'Zubenelgenubi'],
  ].map((name) => [name.toLowerCase(), name]),
)
const defaultVoice = 'Kore'

/** An agent that was tried on another engine must still speak. */
export function voiceOf(name: string): string {
  return voices.get(name.toLowerCase()) ?? defaultVoice
}
