// People of a tenant and their invitations, as sent.

export interface MemberView {
  readonly id: string
  readonly name: string
  /** Null for who signs in by a link only. */
  readonly email: string | null
  /** Names of roles in this tenant; never empty. */
  readonly roles: readonly string[]
  readonly createdAt: string
}

export interface InvitationView {
  readonly id: string
  readonly email: string
  readonly roles: readonly string[]
  readonly status: 'open' | 'accepted' | 'revoked' | 'expired'
  /** Name of who invited. */
  readonly invitedBy: string
  readonly createdAt: string
  readonly expiresAt: string
}

/** The answer to an invitation's making: the link is told this once. */
export interface NewInvitationView extends InvitationView {
  readonly link: string
}

/** One place where a person is signed in. */
export interface SignInSessionView {
  readonly id: string
  readonly createdAt: string
  readonly lastSeenAt: string
  /** Empty when it is not known. */
  readonly ip: string
  readonly userAgent: string
  /** The one that asks. */
  readonly current: boolean
}

/** A secret's value is never sent. */
export interface SecretView {
  readonly name: string
  readonly setAt: string
  /** Name of who set it. */
  readonly setBy: string
}
