import { loadVariants } from '../pipeline/facts/load.js'
import { nodeRecipe, recipeScript } from '../pipeline/recipe/recipe.js'
import { parseRecipeRequest, recipeHelp } from '../pipeline/recipe/request.js'
import { exitWith } from './terminal/run.js'

await exitWith(async () => {
  const request = parseRecipeRequest(process.argv.slice(2), loadVariants())
  process.stdout.write(request === 'help' ? recipeHelp : recipeScript(nodeRecipe(request)))
})
