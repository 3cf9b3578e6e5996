/**
 * Takes one request in: whether its client may ask for it, its body, and a slot among the requests that are being
 * answered. What it holds of the process is given back at the request's end.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ClientKeys } from '../http/auth.ts'
import { ByteBudget } from '../http/byte-budget.ts'
import { isForm, refuseMisplacedForm } from '../http/forms.ts'
import { type GatewayError, OVERLOADED } from '../http/gateway-error.ts'
import type { RequestGuard } from '../http/guard.ts'
import { type BodyReceiver, receiveBody } from '../http/receive-body.ts'
import type { RequestContext } from '../http/request-context.ts'
import { Slots } from '../http/slots.ts'
import { type Upload, type UploadLimits, Uploads } from '../http/uploads.ts'

/** What all requests of this process share, whatever config they began with. */
export class Admission {
  readonly slots = new Slots()
  readonly uploads = new Uploads()
  readonly memory = new ByteBudget()
}

export interface IntakeRules {
  readonly admission: Admission
  readonly clientKeys: ClientKeys | undefined
  /** Slots are shared fairly among the tenants that keys name. A client without a key could be any tenant. */
  readonly sharesSlots: boolean
  readonly maxInFlight: number
  readonly maxBodyBytes: number
  readonly maxBufferedBytes: number
  readonly uploads: UploadLimits
  /** A larger body is read by a thread. */
  readonly largeAboveBytes: number
}

/** Where the request goes on. */
interface IntakeOwner {
  readonly guard: RequestGuard
  received(bytes: Buffer, arrivedMs: number): void
  refused(error: GatewayError): void
}

export class Intake implements BodyReceiver {
  readonly #rules: IntakeRules
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #context: RequestContext
  readonly #owner: IntakeOwner
  #kept = 0
  #hasSlot = false
  #isOver = false

  constructor(
    rules: IntakeRules,
    request: IncomingMessage,
    response: ServerResponse,
    context: RequestContext,
    owner: IntakeOwner,
  ) {
    this.#rules = rules
    this.#request = request
    this.#response = response
    this.#context = context
    this.#owner = owner
  }

  start(): void {
    const { clientKeys } = this.#rules
    const refused = clientKeys?.check(this.#context) ?? refuseMisplacedForm(this.#request, this.#context)
    if (refused) this.#owner.refused(refused)
    // Before its body is read; it may still be too late when the body has come.
    else if (!this.#hasRoom) this.#owner.refused(OVERLOADED)
    else receiveBody(this.#request, this)
  }

  /** The request has ended: what it held is free. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#hasSlot) this.#rules.admission.slots.release(this.#tenant)
    this.#rules.admission.memory.give(this.#kept)
  }

  // --- BodyReceiver

  get limitBytes(): number {
    return this.#rules.maxBodyBytes
  }

  get sharedAboveBytes(): number {
    return isForm(this.#context) ? Number.POSITIVE_INFINITY : this.#rules.largeAboveBytes
  }

  proceed(): void {
    this.#response.writeContinue()
  }

  /** Bytes of this request, or of its answer, are to be kept until its end. False: there is no room. */
  keep(bytes: number): boolean {
    const { admission, maxBufferedBytes } = this.#rules
    if (this.#isOver || !admission.memory.take(bytes, maxBufferedBytes)) return false
    this.#kept += bytes
    return true
  }

  isComing(stop: (error: GatewayError) => void): Upload {
    const { admission, uploads } = this.#rules
    return admission.uploads.begin(this.#tenant, uploads, stop)
  }

  received(bytes: Buffer, arrivedMs: number): void {
    this.#owner.guard.run(() => {
      if (this.#isOver) return
      if (!this.#hasRoom) return this.#owner.refused(OVERLOADED)
      this.#rules.admission.slots.take(this.#tenant)
      this.#hasSlot = true
      this.#owner.received(bytes, arrivedMs)
    })
  }

  refused(error: GatewayError): void {
    this.#owner.guard.run(() => this.#owner.refused(error))
  }

  get #hasRoom(): boolean {
    const { admission, maxInFlight, sharesSlots } = this.#rules
    return admission.slots.admits(this.#tenant, maxInFlight, sharesSlots)
  }

  /** Tenants are told apart by keys only. */
  get #tenant(): string {
    return this.#rules.clientKeys ? this.#context.tenant : ''
  }
}
