import type { OperatorView, Page } from '../../gateway/protocol/rest.ts'
import type { SignInSessionView } from '../../gateway/protocol/team.ts'

type Send = <T>(method: 'GET' | 'POST' | 'DELETE', path: string, options?: { readonly body?: unknown }) => Promise<T>

export interface PasskeyView {
  readonly id: string
  readonly name?: string | null
  readonly createdAt?: string
}

/** Told once: the address for the authenticator app and the codes for the day it is lost. */
export interface NewTotp {
  readonly totpURI: string
  readonly backupCodes: readonly string[]
}

/**
 * Ways in of the person who calls, whatever the tenant. A change of them begins a new session, and with it another CSRF
 * token: `readMe` learns it.
 */
export function accountCalls(send: Send, readMe: () => Promise<unknown>) {
  const renewed = async <T>(call: Promise<T>): Promise<T> => {
    const answer = await call
    await readMe()
    return answer
  }
  const post = <T>(path: string, body: unknown = {}) => send<T>('POST', `/v1/auth${path}`, { body })
  return {
    /** `twoFactorRedirect`: a code is asked for before anybody is in. */
    signInByPassword: (email: string, password: string) =>
      post<{ readonly twoFactorRedirect?: boolean }>('/sign-in/email', { email, password }),
    verifyTotp: (code: string) => renewed(post<unknown>('/two-factor/verify-totp', { code })),
    verifyBackupCode: (code: string) => post<unknown>('/two-factor/verify-backup-code', { code }),
    setPassword: (password: string, email: string | undefined) =>
      post<OperatorView>('/set-password', { password, ...(email === undefined ? {} : { email }) }),
    changePassword: (currentPassword: string, newPassword: string) =>
      renewed(post<unknown>('/change-password', { currentPassword, newPassword })),
    beginTotp: (password: string) => post<NewTotp>('/two-factor/enable', { password }),
    endTotp: (password: string) => renewed(post<unknown>('/two-factor/disable', { password })),
    newBackupCodes: (password: string) =>
      post<{ readonly backupCodes: readonly string[] }>('/two-factor/generate-backup-codes', { password }),
    passkeys: () => send<Page<PasskeyView>>('GET', '/v1/auth/passkeys'),
    passkeyOptions: () =>
      send<PublicKeyCredentialCreationOptionsJSON>('GET', '/v1/auth/passkey/generate-register-options'),
    keepPasskey: (response: unknown, name: string) => post<unknown>('/passkey/verify-registration', { response, name }),
    removePasskey: (id: string) => post<unknown>('/passkey/delete-passkey', { id }),
    passkeySignInOptions: () =>
      send<PublicKeyCredentialRequestOptionsJSON>('GET', '/v1/auth/passkey/generate-authenticate-options'),
    signInByPasskey: (response: unknown) => post<unknown>('/passkey/verify-authentication', { response }),
    sessions: () => send<Page<SignInSessionView>>('GET', '/v1/auth/sessions'),
    endSession: (id: string) => send<unknown>('DELETE', `/v1/auth/sessions/${encodeURIComponent(id)}`),
    endOtherSessions: () => send<unknown>('DELETE', '/v1/auth/sessions'),
  }
}
