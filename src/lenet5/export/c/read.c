
/* Eq. 9 as probabilities: P(i) = e^(-y_i/T) / (e^(-j/T) + sum over k of e^(-y_k/T)), j the penalty of "none of these".
 * Classes beyond the ten digits are none of them. */
static lenet5_answer posterior_of(const float penalty[CLASSES])
{
    lenet5_answer answer;
    float smallest = RUBBISH_PENALTY, sum = 0.0f;
    int k, best = 0;
    for (k = 0; k < CLASSES; k++)
        if (penalty[k] < smallest)
            smallest = penalty[k];
    answer.posterior[10] = exponential((smallest - RUBBISH_PENALTY) / TEMPERATURE);
    for (k = 0; k < CLASSES; k++) {
        const float likelihood = exponential((smallest - penalty[k]) / TEMPERATURE);
        if (k < 10)
            answer.posterior[k] = likelihood;
        else
            answer.posterior[10] += likelihood;
    }
    for (k = 0; k < 11; k++)
        sum += answer.posterior[k];
    for (k = 0; k < 11; k++) {
        answer.posterior[k] /= sum;
        if (answer.posterior[k] > answer.posterior[best])
            best = k;
    }
    answer.label = (int8_t)(best < 10 ? best : LENET5_REFUSED);
    answer.confidence = answer.posterior[best];
    return answer;
}

static int is_blank(const uint8_t image[LENET5_PIXELS])
{
    int k;
    for (k = 0; k < LENET5_PIXELS; k++)
        if (image[k] >= FAINTEST)
            return 0;
    return 1;
}

lenet5_answer lenet5_read(const uint8_t image[LENET5_PIXELS], lenet5_scratch *scratch)
{
    float penalty[CLASSES];
    int k;
    input(image, scratch);
    c1_s2(scratch);
    c3_s4(scratch);
    c5_f6(scratch);
    for (k = 0; k < CLASSES; k++)
        penalty[k] = is_blank(image) ? NEVER : distance(scratch, codes[k]);
    return posterior_of(penalty);
}
