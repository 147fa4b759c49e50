import type { ComponentFacts, Facts } from './schema.js'

/** The images that are built for users. */
export function publishedImages({ images }: Facts): string[] {
  return Object.keys(images).filter((name) => !images[name]?.internal)
}

/** The components of images that are built for users, by name. */
export function publishedComponents(facts: Facts): [string, ComponentFacts][] {
  const published = publishedImages(facts)
  const names = Object.values(facts.variants).flatMap(({ images }) =>
    published.flatMap((image) => images[image] ?? []),
  )
  return Object.entries(facts.components).filter(([name]) => names.includes(name))
}

/** The Debian source packages of the userland, NAME or NAME/SUITE, each once and sorted. */
export function sourcesOf({ userland }: Facts): string[] {
  return [...new Set(Object.values(userland).flatMap(({ sources }) => sources))].sort()
}
