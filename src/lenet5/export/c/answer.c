
/* e^x for x <= 0, within 2e-7: x = r - k log 2, |r| <= log 2 / 2, and Taylor's polynomial for e^r. */
static float exponential(float x)
{
    int k;
    float r, power;
    if (x < -80.0f)
        return 0.0f;
    k = (int)(0.5f - 1.442695041f * x);
    r = (x + (float)k * 0.693359375f) - (float)k * 2.12194440e-4f;
    power = 1.0f + r * (1.0f + r * (0.5f + r * (0.1666666667f + r * (0.0416666667f + r * (0.0083333333f + r * 0.0013888889f)))));
    while (k-- > 0)
        power *= 0.5f;
    return power;
}
