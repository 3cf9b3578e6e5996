/** The list of models that a provider serves: read in any format, written in OpenAI's. */
import { asText, type JsonObject } from './json.ts'
import { expectObjects } from './strict.ts'

export interface ListedModel {
  id: string
  /** Unix seconds; 0 where it is not known. */
  created: number
  owner: string
}

/** The models of an answer of Anthropic or Gemini, which owns them all. */
export function readModelList(answer: JsonObject, owner: string): ListedModel[] {
  return expectObjects(answer.data ?? answer.models, 'data').map(({ id, name, created_at: since }) => ({
    id: asText(id) ?? (asText(name) ?? '').replace(/^models\//, ''),
    created: Math.floor((Date.parse(asText(since) ?? '') || 0) / 1_000),
    owner,
  }))
}

export function writeModelList(models: readonly ListedModel[]): string {
  return JSON.stringify({ object: 'list', data: models.map(toEntry) })
}

export function writeModel(model: ListedModel): string {
  return JSON.stringify(toEntry(model))
}

function toEntry({ id, created, owner }: ListedModel) {
  return { id, object: 'model', created, owned_by: owner }
}
