/**
 * The C functions of GSS-API that are used, as the foreign function interface koffi
 * calls them. Their types are those of `gssapi.h` and `gssapi_ext.h`; a pointer is a
 * `bigint`, and what a function gives back is put into an array of one or an object.
 */

/** A function whose first argument takes the minor status, and whose result is the major one. */
export interface Native {
  (...args: ReadonlyArray<unknown>): number
  /** Calls it in another thread. The last argument is told the result. */
  readonly async: (...args: ReadonlyArray<unknown>) => void
}

/** What we use of the package koffi. */
export interface Koffi {
  load(path: string): {
    func(name: string, result: string, parameters: Array<unknown>): Native
    symbol(name: string): unknown
  }
  struct(members: Record<string, unknown>): unknown
  pointer(type: unknown): unknown
  out(type: unknown): unknown
  inout(type: unknown): unknown
  decode(pointer: unknown, type: string): unknown
  view(pointer: unknown, length: number): ArrayBuffer
}

/** A handle of the library, in an array of one so that the library can write it. */
export type Handle = [bigint | null]

/** gss_buffer_desc. */
export interface GssBuffer {
  readonly length: number
  readonly value: unknown
}

/** The library by the name that stands for its binary interface. */
const LIBRARY = "libgssapi_krb5.so.2"

/** Loads the library; throws when it is not there or lacks something. */
export const load = (koffi: Koffi) => {
  const library = koffi.load(LIBRARY)
  const buffer = koffi.pointer(koffi.struct({ length: "size_t", value: "void *" }))
  const pair = koffi.struct({ key: "str", value: "str" })
  const store = koffi.pointer(koffi.struct({ count: "uint32_t", elements: koffi.pointer(pair) }))
  const taken = koffi.out(buffer)
  const handle = koffi.inout("void **")
  const number = koffi.inout("uint32_t *")
  const native = (name: string, ...parameters: ReadonlyArray<unknown>): Native =>
    library.func(name, "uint32_t", [number, ...parameters])
  const constant = (name: string) => koffi.decode(library.symbol(name), "void *")
  // Whatever else is pointed to.
  const any = "void *"
  return {
    hostbasedService: constant("GSS_C_NT_HOSTBASED_SERVICE"),
    principalName: constant("GSS_KRB5_NT_PRINCIPAL_NAME"),
    krb5: constant("gss_mech_krb5"),
    onlyKrb5: constant("gss_mech_set_krb5"),
    importName: native("gss_import_name", buffer, any, handle),
    releaseName: native("gss_release_name", handle),
    displayName: native("gss_display_name", any, taken, any),
    acquireCred: native("gss_acquire_cred_from", any, "uint32_t", any, "int", store, handle, any, any),
    releaseCred: native("gss_release_cred", handle),
    initSecContext: native(
      "gss_init_sec_context",
      any,
      handle,
      any,
      any,
      "uint32_t",
      "uint32_t",
      any,
      buffer,
      any,
      taken,
      any,
      any
    ),
    acceptSecContext: native("gss_accept_sec_context", handle, any, buffer, any, any, any, taken, any, any, any),
    inquireContext: native("gss_inquire_context", any, handle, any, any, any, any, any, any),
    deleteSecContext: native("gss_delete_sec_context", handle, any),
    wrap: native("gss_wrap", any, "int", "uint32_t", buffer, any, taken),
    unwrap: native("gss_unwrap", any, buffer, taken, any, any),
    displayStatus: native("gss_display_status", "uint32_t", "int", any, number, taken),
    releaseBuffer: native("gss_release_buffer", koffi.inout(buffer)),
    view: koffi.view
  }
}

/** What is loaded. */
export type Functions = ReturnType<typeof load>

/** A copy of what a function has put into a buffer, which is released; of no length where it has put nothing. */
export const take = (library: Functions, buffer: Partial<GssBuffer>): Uint8Array => {
  const { length = 0, value } = buffer
  const bytes = length === 0 ? new Uint8Array(0) : new Uint8Array(library.view(value, length)).slice()
  if (value != null) library.releaseBuffer([0], buffer)
  return bytes
}
