// Who is in the room, as a pure function: states, events, effects. No clock, no I/O.
// The room's own events and our timers decide; no webhook is needed for any of it.

export type Presence =
  /** The agent is in the room and nothing runs yet. */
  | { readonly at: 'expected' }
  | { readonly at: 'here' }
  /** The caller was lost, or we lost the room (`inRoom` false): the session waits as its own rules say. */
  | { readonly at: 'away'; readonly inRoom: boolean }
  | { readonly at: 'over' }

export type PresenceEvent =
  | { readonly is: 'callerJoined' }
  /** `left`: on purpose, or removed by whoever owns the room. `lost`: the network. */
  | { readonly is: 'callerGone'; readonly how: 'left' | 'lost' }
  | { readonly is: 'nobodyCame' }
  /** Our own connection to the room is gone. */
  | { readonly is: 'roomLost' }
  | { readonly is: 'roomBack'; readonly callerHere: boolean }
  /** The room was closed, or we were sent out of it. */
  | { readonly is: 'roomOver' }
  /** The session ended by itself. */
  | { readonly is: 'ended' }

export type PresenceEffect = 'begin' | 'lose' | 'return' | 'rejoin' | 'bye'

type Step = readonly [Presence, readonly PresenceEffect[]]

const over: Presence = { at: 'over' }

export function step(presence: Presence, event: PresenceEvent): Step {
  if (presence.at === 'over') return [presence, []]
  switch (event.is) {
    case 'callerJoined':
      return joined(presence)
    case 'callerGone':
      // A caller who never came cannot have gone.
      if (presence.at === 'expected') return [presence, []]
      if (event.how === 'left') return [over, ['bye']]
      return presence.at === 'here' ? [{ at: 'away', inRoom: true }, ['lose']] : [presence, []]
    case 'nobodyCame':
      return presence.at === 'expected' ? [over, ['bye']] : [presence, []]
    case 'roomLost':
      return roomLost(presence)
    case 'roomBack':
      if (presence.at !== 'away' || presence.inRoom) return [presence, []]
      return event.callerHere ? [{ at: 'here' }, ['return']] : [{ at: 'away', inRoom: true }, []]
    case 'roomOver':
      return [over, ['bye']]
    case 'ended':
      return [over, []]
  }
}

function joined(presence: Presence): Step {
  if (presence.at === 'expected') return [{ at: 'here' }, ['begin']]
  if (presence.at === 'away' && presence.inRoom) return [{ at: 'here' }, ['return']]
  return [presence, []]
}

function roomLost(presence: Presence): Step {
  if (presence.at === 'here') return [{ at: 'away', inRoom: false }, ['lose', 'rejoin']]
  if (presence.at === 'away') return presence.inRoom ? [{ at: 'away', inRoom: false }, ['rejoin']] : [presence, []]
  // Nobody has spoken to us yet: whoever asked asks again.
  return [over, ['bye']]
}
