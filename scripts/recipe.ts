import { checkScript, nodeRecipe, recipeScript } from '../pipeline/recipe/recipe.js'
import type { RecipeRequest } from '../pipeline/recipe/request.js'

export default async function recipe(request: RecipeRequest): Promise<void> {
  process.stdout.write(request.check ? checkScript(request) : recipeScript(nodeRecipe(request)))
}
