// The browser's side of a passkey. Options and answers travel as JSON, as WebAuthn defines it.

/** Why it could not be done, for a person; the browser's own messages are for developers. */
export class PasskeyFault extends Error {}

export function passkeysWork(): boolean {
  return typeof PublicKeyCredential === 'function' && 'parseCreationOptionsFromJSON' in PublicKeyCredential
}

export async function makePasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  return answer(() => navigator.credentials.create({ publicKey }))
}

export async function askPasskey(options: PublicKeyCredentialRequestOptionsJSON): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  return answer(() => navigator.credentials.get({ publicKey }))
}

async function answer(ask: () => Promise<Credential | null>): Promise<unknown> {
  const credential = await ask().catch((error: unknown) => {
    throw new PasskeyFault(textOf(error), { cause: error })
  })
  if (credential instanceof PublicKeyCredential) return credential.toJSON()
  throw new PasskeyFault('The browser gave no passkey.')
}

function textOf(error: unknown): string {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError') return 'It was cancelled, or it took too long.'
  if (name === 'InvalidStateError') return 'This device has a passkey for you already.'
  if (name === 'SecurityError') return 'Passkeys work only at the public address of this gateway, over https.'
  return 'This browser could not use a passkey.'
}
