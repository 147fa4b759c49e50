import { build } from '../../scripts/flags/build.js'
import { packReport } from '../../scripts/flags/dev.js'
import { recipe } from '../../scripts/flags/recipe.js'
import { release } from '../../scripts/flags/release.js'
import { sizes } from '../../scripts/flags/sizes.js'
import { smoke } from '../../scripts/flags/smoke.js'

// Requests as a user types them.
export const parseBuildRequest = build.parse
export const parsePackReportRequest = packReport.parse
export const parseRecipeRequest = recipe.parse
export const parseReleaseRequest = release.parse
export const parseSizesRequest = sizes.parse
export const parseSmokeRequest = smoke.parse
